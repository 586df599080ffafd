"""A read model shows every event of its sources once and in order, whatever happens on the way."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import asyncpg
import pytest
from tally import (
    OTHER,
    Tally,
    TwoSources,
    count,
    expected,
    running,
    service_pool,
    trails,
    worker,
)

from shared.bus.message import Message
from shared.projection import WaitTimeout
from shared.testing.projections import MemoryBus
from shared.testing.provision import Database

CUT = """
select pg_terminate_backend(pid) from pg_stat_activity
 where datname = current_database() and usename = current_user and pid <> pg_backend_pid()
"""


@pytest.fixture
def bus() -> MemoryBus:
    return MemoryBus()


async def test_events_are_applied_once_in_order_and_others_passed_over(
    database: Database, bus: MemoryBus
):
    last = count(bus, 2_500)
    async with service_pool(database) as pool, running(worker(pool, bus, Tally())) as work:
        await work.wait_for("custody", last)
        assert await trails(pool) == expected(bus)
        assert work.positions() == {"tally": {"custody": last}}


async def test_a_wait_ends_soon_after_the_event_and_sees_it(database: Database, bus: MemoryBus):
    async with service_pool(database) as pool, running(worker(pool, bus, Tally())) as work:
        await work.wait_for("custody", count(bus, 1))
        took = []
        for _ in range(20):
            started = time.perf_counter()
            await work.wait_for("custody", count(bus, 1))
            took.append(time.perf_counter() - started)
            assert await trails(pool) == expected(bus)
        assert sorted(took)[10] < 0.1


async def test_a_wait_for_what_does_not_come_times_out(database: Database, bus: MemoryBus):
    async with service_pool(database) as pool, running(worker(pool, bus, Tally())) as work:
        with pytest.raises(WaitTimeout):
            await work.wait_for("custody", count(bus, 1) + 1, timeout=0.2)


async def test_a_process_that_only_answers_queries_can_wait_too(database: Database, bus: MemoryBus):
    async with service_pool(database) as pool, running(worker(pool, bus, Tally())):
        reader = worker(pool, bus, Tally())
        await reader.wait_for("custody", count(bus, 10))
        assert await trails(pool) == expected(bus)
        with pytest.raises(WaitTimeout):
            await reader.wait_for("custody", 11, timeout=0.2)


async def test_what_the_stream_no_longer_holds_comes_from_the_owner(
    database: Database, bus: MemoryBus
):
    last = count(bus, 3_000)
    bus.log("custody").window = 2_900
    async with service_pool(database) as pool, running(worker(pool, bus, Tally())) as work:
        await work.wait_for("custody", last)
        assert await trails(pool) == expected(bus)
        assert bus.asked["custody"] >= 3


async def test_a_stream_that_does_not_flow_is_replaced_by_the_owner(
    database: Database, bus: MemoryBus
):
    async with service_pool(database) as pool, running(worker(pool, bus, Tally())) as work:
        await work.wait_for("custody", count(bus, 10))
        bus.log("custody").flowing = False
        await work.wait_for("custody", count(bus, 10), timeout=15)
        assert await trails(pool) == expected(bus)


async def test_a_gap_is_filled_before_what_comes_after_it(database: Database, bus: MemoryBus):
    async with service_pool(database) as pool, running(worker(pool, bus, Tally())) as work:
        await work.wait_for("custody", count(bus, 10))
        bus.log("custody").flowing = False
        count(bus, 400)
        bus.log("custody").window = 300
        bus.log("custody").flowing = True
        bus.log("custody").notify()
        await work.wait_for("custody", 410)
        assert await trails(pool) == expected(bus)


async def test_cut_connections_and_restarts_lose_and_double_nothing(
    database: Database, bus: MemoryBus
):
    dice = random.Random(7)
    tally = Tally()
    async with service_pool(database) as pool:
        for _ in range(8):
            async with running(worker(pool, bus, tally)):
                for _ in range(6):
                    count(bus, dice.randrange(1, 300))
                    await asyncio.sleep(dice.random() * 0.02)
                    if dice.random() < 0.5:
                        await _cut_connections(database)
        async with running(worker(pool, bus, tally)) as work:
            await work.wait_for("custody", count(bus, 1), timeout=30)
        assert await trails(pool) == expected(bus)


async def test_two_workers_on_one_database_do_not_double_anything(
    database: Database, bus: MemoryBus
):
    async with service_pool(database, 12) as pool:
        async with running(worker(pool, bus, Tally())) as one:
            async with running(worker(pool, bus, Tally())) as two:
                for _ in range(30):
                    count(bus, 50)
                    await asyncio.sleep(0.01)
                await one.wait_for("custody", 1_500, timeout=20)
                await two.wait_for("custody", 1_500, timeout=20)
        assert await trails(pool) == expected(bus)


class Durable(Tally):
    """Notes how its transactions are committed."""

    async def apply(self, connection: asyncpg.Connection, messages: Sequence[Message]) -> None:
        await super().apply(connection, messages)
        self.committed = await connection.fetchval("show synchronous_commit")


async def test_a_place_among_unhandled_events_that_a_crash_forgot_costs_nothing(
    database: Database, bus: MemoryBus
):
    """It is committed asynchronously, so a Postgres that crashes may come back without it."""
    tally = Durable()
    async with service_pool(database) as pool, running(worker(pool, bus, tally)) as work:
        await work.wait_for("custody", count(bus, 10))
        for _ in range(30):
            bus.log("custody").add(OTHER, "toy-1", {"value": 1})
        while await pool.fetchval("select position from projection.checkpoint") < 40:
            await asyncio.sleep(0.01)
        await pool.execute("update projection.checkpoint set position = 10")
        await work.wait_for("custody", count(bus, 60))
        assert await trails(pool) == expected(bus)
        assert tally.committed == "on"


async def test_an_outage_of_database_and_bus_is_waited_out(database: Database, bus: MemoryBus):
    async with service_pool(database) as pool, running(worker(pool, bus, Tally())) as work:
        await work.wait_for("custody", count(bus, 100))
        async with _outage(database):
            bus.away = True
            last = count(bus, 500)
            await asyncio.sleep(1)
            bus.away = False
        await work.wait_for("custody", last, timeout=20)
        assert await trails(pool) == expected(bus)


async def test_several_sources_advance_on_their_own(database: Database, bus: MemoryBus):
    count(bus, 200)
    async with service_pool(database) as pool:
        async with running(worker(pool, bus, TwoSources(), Tally())) as work:
            last = count(bus, 300, service="inventory")
            await work.wait_for("inventory", last)
            await work.wait_for("custody", 200)
            assert work.positions() == {
                "pair": {"custody": 200, "inventory": 300},
                "tally": {"custody": 200},
            }
            handled = sum(map(len, expected(bus).values()))
            handled += sum(map(len, expected(bus, "inventory").values()))
            assert sum(map(len, (await trails(pool, "pair.amount")).values())) == handled


async def test_a_slow_read_model_does_not_hold_back_the_others(database: Database, bus: MemoryBus):
    slow = TwoSources()
    slow.delay = 0.3
    async with service_pool(database) as pool, running(worker(pool, bus, slow, Tally())) as work:
        last = count(bus, 5_000)
        await work.wait_for("custody", last, names=["tally"])
        assert work.positions()["pair"]["custody"] < last


async def _cut_connections(database: Database) -> None:
    connection = await asyncpg.connect(database.app_dsn)
    await connection.execute(CUT)
    await connection.close()


@asynccontextmanager
async def _outage(database: Database) -> AsyncIterator[None]:
    """The app role has no connection and gets none."""
    owner = await asyncpg.connect(database.owner_dsn)
    app = await asyncpg.connect(database.app_dsn)
    await owner.execute(f"alter database {database.name} connection limit 0")
    await app.execute(CUT)
    await app.close()
    yield
    await owner.execute(f"alter database {database.name} connection limit -1")
    await owner.close()
