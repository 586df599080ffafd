"""The read model of the whole service; Postgres takes the bodies apart, a batch at a time."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, ClassVar

import aiosql
import asyncpg

from shared.bus.message import Message
from shared.contracts import inventory as facts
from shared.projection import Projection

HERE = Path(__file__).parent
SQL = aiosql.from_path(HERE / "inventory_writes.sql", "asyncpg", mandatory_parameters=False)

Statement = Callable[..., Any]

STATIONS: dict[str, Statement] = {
    facts.PollingStationRegistered.type: SQL.polling_station_registered,
    facts.NeedsCalculated.type: SQL.polling_station_needs_calculated,
    facts.PollingPostponed.type: SQL.polling_station_postponed,
}
"""They write different columns, so that a batch may take one type after the other."""

STOCK: dict[str, str] = {
    fact.type: fact.fact
    for fact in (
        facts.StockReceived,
        facts.StockSorted,
        facts.StockIssued,
        facts.StockDamaged,
        facts.StockDestroyed,
    )
}
"""They add up, in any order."""

IN_ORDER: dict[str, Statement] = {
    facts.RulesSet.type: SQL.rules_set,
    facts.ItemDefined.type: SQL.item_defined,
    facts.ItemRetired.type: SQL.item_retired,
    facts.RegionRegistered.type: SQL.region_registered,
    facts.SiteProposed.type: SQL.site_proposed,
    facts.SiteSurveyed.type: SQL.site_surveyed,
    facts.OwnerLetterSent.type: SQL.site_owner_letter_sent,
    facts.SiteReady.type: SQL.site_ready,
    facts.SiteRejected.type: SQL.site_rejected,
    facts.SiteReplaced.type: SQL.site_replaced,
    facts.SiteInspected.type: SQL.site_inspected,
    facts.PickingDrawn.type: SQL.picking_drawn,
    facts.KitPacked.type: SQL.kit_packed,
    facts.FindingRaised.type: SQL.finding_raised,
    facts.FindingClosed.type: SQL.finding_closed,
    facts.ReplacementRequested.type: SQL.replacement_requested,
    facts.ReplacementSupplied.type: SQL.replacement_supplied,
}


class Inventory(Projection):
    name: ClassVar[str] = "inventory"
    version: ClassVar[int] = 1
    sources: ClassVar[tuple[str, ...]] = ("inventory",)
    handles: ClassVar[frozenset[str]] = frozenset((*STATIONS, *STOCK, *IN_ORDER))
    schema: ClassVar[Path] = HERE / "inventory.sql"

    async def apply(self, connection: asyncpg.Connection, messages: Sequence[Message]) -> None:
        for type, statement in STATIONS.items():
            await _run(connection, statement, [m for m in messages if m.type == type])
        await _stock(connection, [m for m in messages if m.type in STOCK])
        for type, run in _runs(m for m in messages if m.type in IN_ORDER):
            await _run(connection, IN_ORDER[type], run)


def _runs(messages: Iterable[Message]) -> Iterator[tuple[str, list[Message]]]:
    """Runs of one type, each kind of thing by itself: of one thing the order is kept."""
    by_kind: dict[str, list[Message]] = {}
    for message in messages:
        by_kind.setdefault(message.stream.partition("-")[0], []).append(message)
    for of_kind in by_kind.values():
        for type, run in groupby(of_kind, key=lambda message: message.type):
            yield type, list(run)


async def _run(
    connection: asyncpg.Connection, statement: Statement, messages: Sequence[Message]
) -> None:
    if messages:
        await statement(connection, **_columns(messages))


async def _stock(connection: asyncpg.Connection, messages: Sequence[Message]) -> None:
    if messages:
        kinds = [STOCK[message.type] for message in messages]
        await SQL.stock_moved(connection, facts=kinds, **_columns(messages))


def _columns(messages: Sequence[Message]) -> dict[str, list[Any]]:
    return {
        "positions": [message.position for message in messages],
        "times": [message.occurred_at for message in messages],
        "bodies": [message.data.decode() for message in messages],
    }
