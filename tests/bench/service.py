"""A service as far as the rows of the engine need one: store, relay and worker, on real servers."""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Self

import asyncpg

from shared.bus.connection import Client, connect
from shared.bus.relay import Relay
from shared.bus.replay import Nearest, Replay
from shared.eventstore import EventStore, migrate
from shared.opening import SESSION
from shared.projection import Projection, Worker, stream_feeds
from shared.projection import migrate as migrate_projections
from tests.bench.holdings import SQL, load
from tests.bench.room import CELL, Room

SERVICE = "custody"
Environment = Mapping[str, str]


async def provided(room: Room, name: str, events: int) -> Environment:
    """A database with so many hand-overs, and a fresh bus; what a program needs to use them."""
    database, bus = await room.database(name), await room.nats()
    await migrate(database.owner_dsn, database.app_role)
    await migrate_projections(database.owner_dsn, database.app_role)
    await load(database.owner_dsn, events)
    return {
        "BENCH_DSN": database.app_dsn,
        "BENCH_NATS": bus.url,
        "BENCH_PASSWORD": bus.passwords[SERVICE],
    }


@dataclass(frozen=True)
class Bench:
    """What a program opens of its environment."""

    store: EventStore
    pool: asyncpg.Pool
    environment: Environment

    @classmethod
    @asynccontextmanager
    async def opened(cls, environment: Environment = os.environ) -> AsyncIterator[Self]:
        dsn = environment["BENCH_DSN"]
        async with (
            await EventStore.open(dsn, service=SERVICE) as store,
            asyncpg.create_pool(dsn, min_size=1, max_size=6, server_settings=SESSION) as pool,
        ):
            yield cls(store, pool, environment)

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Client]:
        url, password = self.environment["BENCH_NATS"], self.environment["BENCH_PASSWORD"]
        client = await connect(url, SERVICE, password, "bench")
        try:
            yield client
        finally:
            await client.close()

    @asynccontextmanager
    async def relaying(self) -> AsyncIterator[Relay]:
        async with self.connected() as nats:
            relay = Relay(self.store, nats, SERVICE, CELL)
            running = asyncio.create_task(relay.run())
            try:
                yield relay
            finally:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)

    def worker(self, nats: Client, projection: Projection) -> Worker:
        worker = Worker(
            SERVICE,
            pool=self.pool,
            replay=Nearest(self.store, SERVICE, CELL, Replay(nats)),
            open_feed=stream_feeds(nats, CELL),
            projections=(projection,),
        )
        self.store.on_append.append(worker.log_reaches)
        return worker

    async def forget(self) -> None:
        """Leave nothing of the read model: the next worker begins with the first event."""
        await SQL.forget_place(self.pool)
        await SQL.forget_tables(self.pool)


async def relayed(environment: Environment, events: int) -> None:
    """Put the store's events on the stream."""
    async with Bench.opened(environment) as bench, bench.relaying() as relay:
        while relay.published < events:
            await asyncio.sleep(0.05)


@asynccontextmanager
async def at_work(worker: Worker) -> AsyncIterator[None]:
    running = asyncio.create_task(worker.run())
    try:
        yield
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
