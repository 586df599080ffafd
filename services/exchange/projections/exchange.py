"""The directory, letters with their state, who secures what, and the notices (own facts)."""

from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, ClassVar

import aiosql
import asyncpg

from services.exchange.projections.rows import rows
from shared.bus.message import Message
from shared.contracts import exchange
from shared.projection import Projection

HERE = Path(__file__).parent
SQL = aiosql.from_path(HERE / "exchange_writes.sql", "asyncpg", mandatory_parameters=False)


async def amend(connection: asyncpg.Connection, events: str) -> None:
    """A draft names the sites of its last amendment, and no other."""
    await SQL.forget_sites(connection, events=events)
    await SQL.amended(connection, events=events)


WRITES: dict[str, Callable[..., Any]] = {
    exchange.AgencyRegistered.type: SQL.registered,
    exchange.LetterDrafted.type: SQL.drafted,
    exchange.LetterAmended.type: amend,
    exchange.LetterIssued.type: SQL.issued,
    exchange.LetterRendered.type: SQL.rendered,
    exchange.LetterDispatched.type: SQL.dispatched,
    exchange.LetterAcknowledged.type: SQL.acknowledged,
    exchange.LetterFollowedUp.type: SQL.followed_up,
    exchange.LetterRefused.type: SQL.refused,
    exchange.LetterClosed.type: SQL.closed,
    exchange.LetterEscalated.type: SQL.escalated,
    exchange.CoverageClosed.type: SQL.coverage_closed,
    exchange.NoticeSent.type: SQL.noticed,
}


class Letters(Projection):
    name: ClassVar[str] = "exchange"
    version: ClassVar[int] = 2
    sources: ClassVar[tuple[str, ...]] = ("exchange",)
    handles: ClassVar[frozenset[str]] = frozenset(WRITES)
    schema: ClassVar[Path] = HERE / "exchange.sql"

    async def apply(self, connection: asyncpg.Connection, messages: Sequence[Message]) -> None:
        """Each run of events of one type at once, the runs in order."""
        for type, run in groupby(messages, key=lambda message: message.type):
            await WRITES[type](connection, events=rows(list(run)))
