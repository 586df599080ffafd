"""Units, consignments and incidents as they are now.

A batch is folded in memory, so that a unit's row is written once however many events it had.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import asyncpg
import orjson

from services.custody.projections import folding_consignments, folding_units, incident_rows
from services.custody.projections.folding_consignments import ConsignmentChanges
from services.custody.projections.folding_units import UnitChanges
from shared.bus.message import Message
from shared.contracts import custody
from shared.projection import Fold, Folding

MOST_ROWS = 50_000
INCIDENTS = frozenset({custody.IncidentRaised.type, custody.IncidentClosed.type})


class CustodyFold(Fold):
    """Changes of units and consignments, and incidents. New units are copied, into any table."""

    def __init__(self) -> None:
        self._units = UnitChanges()
        self._consignments = ConsignmentChanges()
        self._incidents: list[Message] = []

    @property
    def full(self) -> bool:
        return len(self._units) + len(self._consignments) + len(self._incidents) >= MOST_ROWS

    def add(self, messages: Sequence[Message]) -> None:
        units, consignments = self._units, self._consignments
        of_units, of_consignments = folding_units.FOLD, folding_consignments.FOLD
        for message in messages:
            kind = message.type
            if kind in of_units:
                of_units[kind](units, orjson.loads(message.data), message.position)
            elif kind in of_consignments:
                of_consignments[kind](consignments, orjson.loads(message.data), message.position)
            else:
                self._incidents.append(message)

    async def write(self, connection: asyncpg.Connection, *, empty: bool) -> None:
        await self._units.write(connection)
        await self._consignments.write(connection)
        await incident_rows.write(connection, self._incidents)


class CustodyView(Folding):
    """Who answers for every unit, how far every consignment is, what went wrong."""

    name: ClassVar[str] = "custody"
    version: ClassVar[int] = 1
    sources: ClassVar[tuple[str, ...]] = ("custody",)
    handles: ClassVar[frozenset[str]] = frozenset(
        {*folding_units.FOLD, *folding_consignments.FOLD, *INCIDENTS}
    )
    schema: ClassVar[Path] = Path(__file__).with_suffix(".sql")

    def fold(self) -> CustodyFold:
        return CustodyFold()
