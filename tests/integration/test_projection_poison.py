"""An event that cannot be applied is parked; its entity waits, everything else goes on."""

import asyncio
import sys
from pathlib import Path

import asyncpg
import pytest
from tally import COUNTED, Tally, count, expected, running, service_pool, trails, worker

from shared.testing.projections import MemoryBus
from shared.testing.provision import Database

DEADLY = Path(__file__).parent / "deadly_worker.py"


@pytest.fixture
def bus() -> MemoryBus:
    return MemoryBus()


def poison(bus: MemoryBus, stream: str) -> int:
    return bus.log("custody").add(COUNTED, stream, {"value": -1}).position


def value(bus: MemoryBus, stream: str) -> int:
    return bus.log("custody").add(COUNTED, stream, {"value": 1}).position


async def test_a_poison_event_is_parked_with_what_follows_it_in_its_stream(
    database: Database, bus: MemoryBus
):
    tally = Tally()
    tally.broken = {"toy-3"}
    count(bus, 300)
    bad = poison(bus, "toy-3")
    last = count(bus, 300)
    async with service_pool(database) as pool, running(worker(pool, bus, tally)) as work:
        await work.wait_for("custody", last)
        behind = [at for at in expected(bus)["toy-3"] if at > bad]
        parked = await work.parked("tally")
        assert [item.position for item in parked] == [bad, *behind]
        assert parked[0].error == "ValueError: a negative value" and parked[0].attempts == 1
        assert {item.error for item in parked[1:]} == {None}
        seen, complete = await trails(pool), expected(bus)
        assert seen.pop("toy-3") == [at for at in complete.pop("toy-3") if at < bad]
        assert seen == complete
        status = await work.status()
        assert status["tally"]["sources"]["custody"]["parked"] == len(parked)


async def test_a_repaired_key_is_applied_in_order_and_flows_again(
    database: Database, bus: MemoryBus
):
    tally = Tally()
    tally.broken = {"toy-3", "toy-5"}
    poison(bus, "toy-3")
    poison(bus, "toy-5")
    async with service_pool(database) as pool, running(worker(pool, bus, tally)) as work:
        await work.wait_for("custody", count(bus, 100))
        assert await work.retry("tally", key="toy-3") == 0
        assert (await work.parked())[0].attempts == 2
        tally.broken = {"toy-5"}
        assert await work.retry("tally", key="toy-3") > 1
        assert {item.key for item in await work.parked()} == {"toy-5"}
        [first] = await work.parked(limit=1)
        assert await work.parked(event_id=first.event_id) == [first]
        await work.wait_for("custody", count(bus, 100))
        assert (await trails(pool))["toy-3"] == expected(bus)["toy-3"]
        tally.broken = set()
        assert await work.retry("tally") > 1
        await work.wait_for("custody", count(bus, 100))
        assert await trails(pool) == expected(bus)


async def test_events_arriving_during_a_retry_stay_in_order(database: Database, bus: MemoryBus):
    tally = Tally()
    tally.broken = {"toy-0", "toy-1"}
    async with service_pool(database) as pool, running(worker(pool, bus, tally)) as work:
        poison(bus, "toy-0")
        poison(bus, "toy-1")
        await work.wait_for("custody", count(bus, 100))
        tally.broken = set()
        elsewhere = worker(pool, bus, Tally())
        retrying = asyncio.create_task(elsewhere.retry("tally"))
        while not retrying.done():
            value(bus, "toy-0")
            await asyncio.sleep(0.001)
        await work.wait_for("custody", value(bus, "toy-1"))
        while await work.parked():
            await elsewhere.retry("tally")
        await work.wait_for("custody", count(bus, 30))
        assert await trails(pool) == expected(bus)


async def test_an_event_that_kills_the_process_is_parked_after_three_starts(
    database: Database,
):
    async with service_pool(database) as pool:
        codes = [await _run_deadly(database) for _ in range(5)]
        assert codes.count(9) in (3, 4) and codes[-1] == 0
        assert codes == sorted(codes, reverse=True)
        parked = await pool.fetch("select position, error from projection.parked order by position")
        assert parked[0]["position"] == 42
        assert "died" in parked[0]["error"]
        assert all(row["error"] is None for row in parked[1:])
        assert await pool.fetchval("select position from projection.checkpoint") == 200
        assert await pool.fetchval("select count(*) from projection.mark") == 0


async def _run_deadly(database: Database) -> int:
    process = await asyncio.create_subprocess_exec(sys.executable, DEADLY, database.app_dsn)
    return await asyncio.wait_for(process.wait(), 30)


async def test_an_innocent_kill_parks_nothing(database: Database, bus: MemoryBus):
    async with service_pool(database) as pool:
        async with running(worker(pool, bus, Tally())) as work:
            await work.wait_for("custody", count(bus, 10))
        await pool.execute(
            "insert into projection.mark values ('tally', 1, 'custody', 11, 11, 0, $1)",
            "00000000-0000-0000-0000-000000000000",
        )
        async with running(worker(pool, bus, Tally())) as work:
            await work.wait_for("custody", count(bus, 100))
            assert await work.parked() == []
            assert await trails(pool) == expected(bus)


async def test_a_database_error_counts_as_poison_only_if_the_event_causes_it(
    database: Database, bus: MemoryBus
):
    class Overflowing(Tally):
        async def apply(self, connection, messages):
            await super().apply(connection, messages)
            if any(b"-1}" in message.data for message in messages):
                await connection.execute("select 1 / 0")

    async with service_pool(database) as pool, running(worker(pool, bus, Overflowing())) as work:
        bad = poison(bus, "toy-1")
        await work.wait_for("custody", count(bus, 20))
        assert (await work.parked())[0].position == bad
        assert "DivisionByZero" in (await work.parked())[0].error


async def test_a_deadlock_is_tried_again(database: Database, bus: MemoryBus):
    class Unlucky(Tally):
        failures = 3

        async def apply(self, connection, messages):
            await super().apply(connection, messages)
            if self.failures:
                self.failures -= 1
                raise asyncpg.DeadlockDetectedError("deadlock")

    async with service_pool(database) as pool, running(worker(pool, bus, Unlucky())) as work:
        await work.wait_for("custody", count(bus, 20))
        assert await work.parked() == []
        assert await trails(pool) == expected(bus)
