"""A read model whose content shows every loss, repetition and disorder of events."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import orjson

from shared.bus.message import Message
from shared.projection import Projection, Worker, migrate
from shared.testing.projections import MemoryBus
from shared.testing.provision import Database

COUNTED = "custody.toy-counted.v1"
OTHER = "custody.toy-ignored.v1"

UPSERT = """
insert into amount as a (stream, total, trail)
select stream, sum(value), array_agg(position order by position)
  from unnest($1::text[], $2::bigint[], $3::bigint[]) as e (stream, value, position)
 group by stream
on conflict (stream) do update
   set total = a.total + excluded.total, trail = a.trail || excluded.trail
"""


class Tally(Projection):
    """Adds values by stream. `broken` are streams whose negative values it cannot take."""

    name = "tally"
    version = 1
    sources = ("custody",)
    handles = frozenset({COUNTED})
    schema = Path(__file__).parent / "tally.sql"

    def __init__(self) -> None:
        self.broken: set[str] = set()
        self.batches: list[int] = []
        self.delay = 0.0

    async def apply(self, connection: asyncpg.Connection, messages: Sequence[Message]) -> None:
        values = [orjson.loads(message.data)["value"] for message in messages]
        streams = [message.stream for message in messages]
        if any(v < 0 and s in self.broken for v, s in zip(values, streams, strict=True)):
            raise ValueError("a negative value")
        await connection.execute(UPSERT, streams, values, [m.position for m in messages])
        await asyncio.sleep(self.delay)
        self.batches.append(len(messages))


class SecondTally(Tally):
    version = 2


class TwoSources(Tally):
    name = "pair"
    sources = ("custody", "inventory")
    handles = frozenset({COUNTED, "inventory.toy-counted.v1"})


def count(bus: MemoryBus, number: int, *, streams: int = 7, service: str = "custody") -> int:
    """Record `number` more events, every third of a type that is not handled; answers the last."""
    log = bus.log(service)
    for _ in range(number):
        at = log.position + 1
        kind = "ignored" if at % 3 == 0 else "counted"
        log.add(f"{service}.toy-{kind}.v1", f"toy-{at % streams}", {"value": at})
    return log.position


def expected(bus: MemoryBus, service: str = "custody") -> dict[str, list[int]]:
    """The positions of handled events by stream."""
    trails: dict[str, list[int]] = {}
    for message in bus.log(service).messages:
        if message.type.endswith("toy-counted.v1"):
            trails.setdefault(message.stream, []).append(message.position)
    return trails


async def trails(pool: asyncpg.Pool, table: str = "tally.amount") -> dict[str, list[int]]:
    rows = await pool.fetch(f"select stream, trail from {table}")
    return {row["stream"]: row["trail"] for row in rows}


@asynccontextmanager
async def service_pool(database: Database, size: int = 8) -> AsyncIterator[asyncpg.Pool]:
    await migrate(database.owner_dsn, database.app_role)
    async with asyncpg.create_pool(database.app_dsn, min_size=1, max_size=size) as pool:
        yield pool


def worker(pool: asyncpg.Pool, bus: MemoryBus, *projections: Projection, **more) -> Worker:
    return Worker(
        "custody", pool=pool, replay=bus, open_feed=bus.open_feed, projections=projections, **more
    )


@asynccontextmanager
async def running(made: Worker) -> AsyncIterator[Worker]:
    task = asyncio.create_task(made.run())
    try:
        yield made
        assert not task.done(), task.exception()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
