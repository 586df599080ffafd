"""Places that may have to be secured, and what each kelurahan is supplied with (from inventory)."""

from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, ClassVar

import aiosql
import asyncpg

from services.exchange.projections.rows import rows
from shared.bus.message import Message
from shared.contracts import inventory
from shared.projection import Projection

HERE = Path(__file__).parent
SQL = aiosql.from_path(HERE / "sites_writes.sql", "asyncpg", mandatory_parameters=False)

WRITES: dict[str, Callable[..., Any]] = {
    inventory.SiteProposed.type: SQL.proposed,
    inventory.SiteSurveyed.type: SQL.surveyed,
    inventory.OwnerLetterSent.type: SQL.owner_written_to,
    inventory.SiteReady.type: SQL.ready,
    inventory.SiteRejected.type: SQL.rejected,
    inventory.SiteReplaced.type: SQL.replaced,
    inventory.RegionRegistered.type: SQL.regions,
    inventory.NeedsCalculated.type: SQL.needs,
}


class Sites(Projection):
    name: ClassVar[str] = "sites"
    version: ClassVar[int] = 1
    sources: ClassVar[tuple[str, ...]] = ("inventory",)
    handles: ClassVar[frozenset[str]] = frozenset(WRITES)
    schema: ClassVar[Path] = HERE / "sites.sql"

    async def apply(self, connection: asyncpg.Connection, messages: Sequence[Message]) -> None:
        """Each run of events of one type at once, the runs in order."""
        for type, run in groupby(messages, key=lambda message: message.type):
            await WRITES[type](connection, events=rows(list(run)))
