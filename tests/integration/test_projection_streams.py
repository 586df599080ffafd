"""The engine on a real store, a real stream and the owner's replay."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import uuid4

import asyncpg
import orjson
import pytest
from tally import COUNTED, OTHER, Tally, running, service_pool, trails
from toy_boxes import METADATA

from shared.bus.connection import Client
from shared.bus.replay import Replay
from shared.bus.responder import Responder
from shared.eventstore import Append, EventStore, NewEvent, Write, uuid7
from shared.eventstore import migrate as migrate_store
from shared.projection import Worker, stream_feeds
from shared.testing.bus import Bus
from shared.testing.provision import Database


@dataclass
class Owner:
    """The custody service as far as its events go."""

    store: EventStore
    bus: Bus
    nats: Client
    pool: asyncpg.Pool

    def worker(self, *projections: Tally) -> Worker:
        return Worker(
            "custody",
            pool=self.pool,
            replay=Replay(self.nats),
            open_feed=stream_feeds(self.nats, "31"),
            projections=projections or (Tally(),),
        )

    async def count(self, number: int) -> int:
        """Append `number` events, every third of a type that is not handled; answers the last."""
        at = await self.store.position()
        appends = [_append(position) for position in range(at + 1, at + number + 1)]
        return (await self.store.append_many(appends))[-1].last

    async def expected(self) -> dict[str, list[int]]:
        trails: dict[str, list[int]] = {}
        for event in await self.store.read_all(0, 100_000):
            if event.type == COUNTED:
                trails.setdefault(event.stream, []).append(event.position)
        return trails


def _append(position: int) -> Append:
    kind = OTHER if position % 3 == 0 else COUNTED
    data = orjson.dumps({"value": position})
    event = NewEvent(uuid7(), kind, data, "31.71", ("31.71",))
    return Append(uuid4(), b"", (Write(f"toy-{position % 7}", -1, (event,)),), {}, METADATA)


@pytest.fixture
async def owner(database: Database, bus: Bus) -> AsyncIterator[Owner]:
    await migrate_store(database.owner_dsn, database.app_role)
    async with await EventStore.open(database.app_dsn, service="custody") as store:
        async with service_pool(database) as pool, _answering(bus, store):
            client = await bus.connect()
            yield Owner(store, bus, client, pool)
            await client.close()


@asynccontextmanager
async def _answering(bus: Bus, store: EventStore) -> AsyncIterator[None]:
    responder = asyncio.create_task(Responder(store, "custody", "31", bus.connect).run())
    yield
    responder.cancel()
    await asyncio.gather(responder, return_exceptions=True)


async def test_what_is_stored_is_soon_shown(owner: Owner):
    async with owner.bus.relaying(owner.store), running(owner.worker()) as work:
        await work.wait_for("custody", await owner.count(3_000), timeout=20)
        assert await trails(owner.pool) == await owner.expected()
        await work.wait_for("custody", await owner.count(1), timeout=2)


async def test_the_owner_alone_is_enough_while_no_relay_runs(owner: Owner):
    async with running(owner.worker()) as work:
        await work.wait_for("custody", await owner.count(2_500), timeout=30)
        assert await trails(owner.pool) == await owner.expected()


async def test_a_wiped_bus_is_waited_out(owner: Owner):
    async with owner.bus.relaying(owner.store), running(owner.worker()) as work:
        await work.wait_for("custody", await owner.count(500), timeout=20)
        await asyncio.to_thread(owner.bus.restart, wiped=True)
        await work.wait_for("custody", await owner.count(500), timeout=40)
        assert await trails(owner.pool) == await owner.expected()


async def test_a_store_with_another_log_is_noticed_and_built_from(owner: Owner):
    async with owner.bus.relaying(owner.store):
        async with running(owner.worker()) as work:
            await work.wait_for("custody", await owner.count(300), timeout=20)
    log_id = await owner.store.renew_log_id()
    async with owner.bus.relaying(owner.store), running(owner.worker()) as work:
        last = await owner.count(300)
        async with asyncio.timeout(30):
            while await _live_log(owner.pool) != log_id:
                await asyncio.sleep(0.05)
        await work.wait_for("custody", last, timeout=20)
        assert await trails(owner.pool) == await owner.expected()
        assert await owner.pool.fetchval("select generation from projection.projection") == 2


async def _live_log(pool: asyncpg.Pool) -> object:
    return await pool.fetchval(
        "select log_id from projection.checkpoint"
        "  join projection.projection using (name, generation)"
    )
