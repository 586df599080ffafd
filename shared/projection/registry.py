"""The first start of a projection or a policy: its row, its tables, where it begins to read."""

from datetime import UTC, datetime
from uuid import UUID

import asyncpg

from shared.projection import queries
from shared.projection.base import Projection
from shared.projection.consumer import Consumer, Reactor, ReadModel
from shared.projection.ports import Replay

POLICY_SCHEMA = "public"


async def register(pool: asyncpg.Pool, consumer: Consumer, replay: Replay) -> asyncpg.Record:
    """Idempotent, also between processes; answers the row, which may be of another version."""
    now = isinstance(consumer, Reactor) and consumer.policy.starts == "now"
    started = datetime.now(UTC) if now else None
    places = await _places(pool, consumer, replay, now)
    async with pool.acquire() as connection, connection.transaction():
        row = await queries.generation.register(
            connection,
            name=consumer.name,
            kind=consumer.kind,
            version=consumer.version,
            starts_at=started,
        )
        if row is None:
            raise RuntimeError(f"{consumer.name} is being registered by another process")
        schema = consumer.name if isinstance(consumer, ReadModel) else POLICY_SCHEMA
        if row["made"] and isinstance(consumer, ReadModel):
            await create_tables(connection, consumer.projection, schema)
        for source, (position, log_id) in places.items():
            await queries.generation.add_checkpoint(
                connection,
                name=consumer.name,
                generation=row["generation"],
                source=source,
                schema=schema,
                log_id=log_id,
                position=position,
            )
    return row


async def create_tables(
    connection: asyncpg.Connection, projection: Projection, schema: str
) -> None:
    """Make the schema and run the projection's SQL in it, within the caller's transaction."""
    await queries.generation.create_schema(connection, schema=schema)
    await queries.generation.use_schema(connection, schema=schema)
    await connection.execute(projection.schema.read_text(encoding="utf-8"))


async def _places(
    pool: asyncpg.Pool, consumer: Consumer, replay: Replay, now: bool
) -> dict[str, tuple[int, UUID | None]]:
    """Where each source begins that has no checkpoint yet; "now" asks the owners."""
    known = {
        row["source"]
        async for row in queries.generation.checkpoints(pool)
        if row["name"] == consumer.name
    }
    places: dict[str, tuple[int, UUID | None]] = {}
    for source in consumer.sources:
        if source not in known:
            owner = await replay.position(source) if now else None
            places[source] = (owner.position, owner.log_id) if owner else (0, None)
    return places
