"""What could not be applied: shown, and tried again on request."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from shared.bus.message import Message
from shared.projection import queries
from shared.projection.consumer import Consumer
from shared.projection.errors import Unavailable, describe, is_poison
from shared.projection.ports import Replay


@dataclass(frozen=True, slots=True)
class Parked:
    """One event that waits; `error` is None for a sound one behind an earlier one of its key."""

    name: str
    source: str
    position: int
    key: str
    event_id: UUID
    type: str
    error: str | None
    attempts: int
    parked_at: datetime
    tried_at: datetime | None


async def list_parked(
    pool: asyncpg.Pool,
    name: str | None = None,
    event_id: UUID | None = None,
    limit: int | None = None,
) -> list[Parked]:
    """What is parked in the live read models and policies, in order within each key."""
    rows = queries.parking.list_parked(pool, name=name, event_id=event_id, limit=limit)
    return [Parked(**row) async for row in rows]


async def retry(
    pool: asyncpg.Pool, replay: Replay, consumer: Consumer, source: str, key: str
) -> int:
    """Apply the parked events of `key` in order until one fails; answers how many were applied.

    Workers of other processes notice by their checkpoints, and go on with what is parked now.
    """
    applied = 0
    while (row := await _first(pool, consumer, source, key)) is not None:
        message = await _message(replay, source, row["position"])
        if not await _apply(pool, consumer, source, row, message):
            break
        applied += 1
    return applied


async def _first(
    pool: asyncpg.Pool, consumer: Consumer, source: str, key: str
) -> asyncpg.Record | None:
    return await queries.parking.first_parked(pool, name=consumer.name, source=source, key=key)


async def _message(replay: Replay, source: str, position: int) -> Message:
    page: Sequence[Message] = await replay.read(source, position - 1, 1)
    if not page or page[0].position != position:
        raise Unavailable(f"{source} does not give event {position}")
    return page[0]


async def _apply(
    pool: asyncpg.Pool, consumer: Consumer, source: str, row: asyncpg.Record, message: Message
) -> bool:
    place = {"name": consumer.name, "source": source, "generation": row["generation"]}
    at = message.position
    async with consumer.lock, pool.acquire() as connection:
        try:
            async with connection.transaction():
                if await queries.parking.release(
                    connection, **place, position=at, schema=row["schema_name"]
                ):
                    await consumer.apply(connection, [message])
        except Exception as error:
            if not await is_poison(error, connection):
                raise Unavailable(describe(error)) from error
            await queries.parking.failed_again(
                connection, **place, position=at, error=describe(error)
            )
            return False
    consumer.committed()
    return True
