"""Which places are registered: storage sites by their readiness, and polling stations."""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import aiosql
import asyncpg
import orjson

from shared.bus.message import Message
from shared.contracts.inventory import (
    OwnerLetterSent,
    PollingStationRegistered,
    SiteProposed,
    SiteReady,
    SiteRejected,
    SiteReplaced,
    SiteSurveyed,
)
from shared.projection import Projection

HERE = Path(__file__).parent
SQL = aiosql.from_path(HERE / "places_writes.sql", "asyncpg", mandatory_parameters=False)

STATES = {
    SiteProposed.type: "proposed",
    SiteSurveyed.type: "surveyed",
    OwnerLetterSent.type: "letter-to-owner",
    SiteReady.type: "ready",
    SiteRejected.type: "rejected",
    SiteReplaced.type: "replaced",
}


class Places(Projection):
    """A site id or a polling station's id, its region, and whether it is ready."""

    name: ClassVar[str] = "places"
    version: ClassVar[int] = 1
    sources: ClassVar[tuple[str, ...]] = ("inventory",)
    handles: ClassVar[frozenset[str]] = frozenset({*STATES, PollingStationRegistered.type})
    schema: ClassVar[Path] = HERE / "places.sql"

    async def apply(self, connection: asyncpg.Connection, messages: Sequence[Message]) -> None:
        latest: dict[str, tuple[str, str, str, str]] = {}
        for message in messages:
            row = _row(message)
            latest[row[0]] = row
        ids, kinds, regions, states = map(list, zip(*latest.values(), strict=True))
        await SQL.save(connection, ids=ids, kinds=kinds, regions=regions, states=states)


def _row(message: Message) -> tuple[str, str, str, str]:
    fact = orjson.loads(message.data)
    if message.type == PollingStationRegistered.type:
        return fact["tps"], "tps", fact["region"], "ready"
    return fact["site"], "site", fact["region"], STATES[message.type]
