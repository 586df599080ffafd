"""The event store of one service: the truth that all else is made from."""

from collections.abc import Callable, Collection, Sequence
from functools import partial
from itertools import groupby
from typing import Any, Self
from uuid import UUID, uuid4

import asyncpg

from shared.eventstore import queries
from shared.eventstore.errors import CommandReused, Conflict, TooLarge
from shared.eventstore.model import Append, Appended, Recorded, Snapshot, StoredCommand
from shared.eventstore.patience import PATIENCE, patiently
from shared.eventstore.writer import Writer

MAX_EVENT_BYTES = 900_000
"""Largest body: with headers it stays below the bus's payload limit of 1 MiB."""

PAGE_BYTES = 4 * 1024 * 1024
"""Of bodies, that `read_all` answers with at most."""

# Every query here goes by a key: a plan made while the tables were empty must not scan them later.
SESSION = {
    "default_transaction_isolation": "read committed",
    "enable_seqscan": "off",
    "jit": "off",
}


async def keep_session(_: asyncpg.Connection) -> None:
    """What a pool does with a connection that comes back: nothing, where nobody changes a session.

    Resetting it would be a round trip after each query.
    """


class EventStore:
    """Append and read. Make it with `open`; it is safe for many tasks, and for many processes."""

    def __init__(
        self, service: str, pool: asyncpg.Pool, connect: Callable[[], Any], patience: float
    ) -> None:
        self.service = service
        self.on_append: list[Callable[[int], None]] = []
        self._pool = pool
        self._patience = patience
        self._writer = Writer(connect, self.on_append, patience)

    @classmethod
    async def open(
        cls, dsn: str, *, service: str, pool_size: int = 4, patience: float = PATIENCE
    ) -> Self:
        """Connect with the application's role. An append waits `patience` seconds for a lost
        database before it raises `Unavailable`."""
        settings = SESSION | {"application_name": f"kawal-{service}-eventstore"}
        pool = await asyncpg.create_pool(
            dsn,
            min_size=1,
            max_size=pool_size,
            server_settings=settings,
            command_timeout=30,
            reset=keep_session,
        )
        connect = partial(asyncpg.connect, dsn, server_settings=settings, timeout=5)
        return cls(service, pool, connect, patience)

    async def close(self) -> None:
        """Commit what callers still wait for, then disconnect."""
        await self._writer.close()
        await self._pool.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def append(self, append: Append) -> Appended:
        """Append one command's events durably.

        Raises `Conflict`, `CommandReused`, `TooLarge` (nothing is stored) or `Unavailable`
        (unknown; repeat with the same command id).
        """
        [verdict] = await self.append_many([append])
        if isinstance(verdict, Appended):
            return verdict
        raise verdict

    async def append_many(
        self, appends: Sequence[Append]
    ) -> list[Appended | Conflict | CommandReused]:
        """Append commands in this order, each with its own verdict; none fails another.

        A command may expect versions that an earlier one of the list produces.
        """
        refused = [_oversized(append) for append in appends]
        if not any(refused):
            return await self._writer.submit(appends)  # type: ignore[return-value]
        pairs = zip(appends, refused, strict=True)
        verdicts = iter(await self._writer.submit([a for a, too_large in pairs if not too_large]))
        return [too_large or next(verdicts) for too_large in refused]  # type: ignore[misc]

    async def read_stream(
        self, stream: str, after: int = 0, limit: int | None = None
    ) -> list[Recorded]:
        """A stream's events after a version, in order."""
        rows = await self._fetch(queries.READ_STREAM, stream, after, limit)
        return [Recorded(*row) for row in rows]

    async def read_bodies(
        self, streams: Collection[str], after: Sequence[int] | None = None
    ) -> dict[str, list[tuple[int, str, bytes]]]:
        """(version, type, data) of each stream's events after a version, by one query.

        A stream without such events is no key. What a decision needs, and no more.
        """
        rows = await self._fetch(queries.READ_BODIES, list(streams), after or [0] * len(streams))
        return {
            stream: [(version, type, data) for _, version, type, data in group]
            for stream, group in groupby(rows, key=lambda row: row[0])
        }

    async def read_all(self, after: int, limit: int) -> list[Recorded]:
        """The log after a position: commit order, without gaps.

        Fewer than `limit` events where they are large; none only at the end.
        """
        rows = await self._fetch(queries.READ_ALL, after, limit, PAGE_BYTES)
        return [Recorded(*row) for row in rows]

    async def position(self) -> int:
        """The last position; 0 for an empty log."""
        return await self._value(queries.POSITION)

    async def log_id(self) -> UUID:
        """The log's identity; another one means that a backup was restored."""
        return await self._value(queries.LOG_ID)

    async def renew_log_id(self) -> UUID:
        """Give the log a new identity; to be done at every restore from a backup."""
        return await self._value(queries.RENEW_LOG_ID, uuid4())

    async def command(self, command_id: UUID) -> StoredCommand | None:
        """What is stored of a command, if it was appended."""
        return (await self.commands([command_id])).get(command_id)

    async def commands(self, command_ids: Collection[UUID]) -> dict[UUID, StoredCommand]:
        """The known ones among these commands, by one query."""
        rows = await self._fetch(queries.COMMANDS, list(command_ids))
        return {row[0]: StoredCommand(*row) for row in rows}

    async def save_snapshot(self, stream: str, version: int, schema: str, data: bytes) -> None:
        """Keep a stream's state; an older one than that kept is passed over."""
        await self._fetch(queries.SAVE_SNAPSHOT, stream, version, schema, data)

    async def read_snapshots(self, streams: Collection[str]) -> dict[str, Snapshot]:
        """The snapshots that there are of these streams, by one query."""
        rows = await self._fetch(queries.READ_SNAPSHOTS, list(streams))
        return {row[0]: Snapshot(*row) for row in rows}

    async def _fetch(self, query: str, *args: object) -> list[asyncpg.Record]:
        return await patiently(partial(self._pool.fetch, query, *args), self._patience)

    async def _value(self, query: str, *args: object) -> Any:
        [row] = await self._fetch(query, *args)
        return row[0]


def _oversized(append: Append) -> TooLarge | None:
    for write in append.writes:
        for event in write.events:
            if len(event.data) > MAX_EVENT_BYTES:
                return TooLarge(f"{event.type} has {len(event.data)} bytes")
    return None
