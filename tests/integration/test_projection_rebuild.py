"""A rebuild happens beside the live read model, and no reader notices but by what is new."""

import asyncio

import pytest
from tally import (
    SecondTally,
    Tally,
    TwoSources,
    count,
    expected,
    running,
    service_pool,
    trails,
    worker,
)

from shared.testing.projections import MemoryBus
from shared.testing.provision import Database


@pytest.fixture
def bus() -> MemoryBus:
    return MemoryBus()


async def read_always(pool, totals: list[int]) -> None:
    """What a query sees again and again; any error ends the test."""
    while True:
        totals.append(await pool.fetchval("select coalesce(sum(total), 0) from tally.amount"))
        await asyncio.sleep(0.001)


async def test_a_rebuild_under_traffic_gives_the_same_content_and_readers_see_no_error(
    database: Database, bus: MemoryBus
):
    count(bus, 3_000)
    async with service_pool(database) as pool, running(worker(pool, bus, Tally())) as work:
        await work.wait_for("custody", 3_000)
        totals: list[int] = []
        figures: list[tuple[int, int]] = []
        reader = asyncio.create_task(read_always(pool, totals))
        for _ in range(3):
            building = asyncio.create_task(
                work.rebuild("tally", lambda done, total: figures.append((done, total)))
            )
            while not building.done():
                count(bus, 5)
                await asyncio.sleep(0.002)
            await building
        await work.wait_for("custody", count(bus, 10))
        await asyncio.sleep(0.01)
        assert not reader.done()
        reader.cancel()
        assert totals == sorted(totals)
        assert await trails(pool) == expected(bus)
        assert figures[-1][0] == figures[-1][1] >= 3_000
        assert await generations(pool) == ["tally", "tally__previous"]
        assert await pool.fetchval("select generation from projection.projection") == 4


async def test_a_new_version_is_built_at_the_next_start_while_the_old_one_is_read(
    database: Database, bus: MemoryBus
):
    async with service_pool(database) as pool:
        async with running(worker(pool, bus, Tally())) as work:
            await work.wait_for("custody", count(bus, 500))
        async with running(worker(pool, bus, SecondTally())) as work:
            assert await trails(pool) == expected(bus)
            await work.wait_for("custody", count(bus, 500))
            assert await trails(pool) == expected(bus)
            assert await pool.fetchval("select version from projection.projection") == 2
            assert len(await trails(pool, "tally__previous.amount")) == 7


async def test_a_build_that_was_cut_off_is_finished_by_the_next_start(
    database: Database, bus: MemoryBus
):
    count(bus, 3_000)
    async with service_pool(database) as pool:
        async with running(worker(pool, bus, Tally())) as work:
            await work.wait_for("custody", 3_000)
        slow = SecondTally()
        slow.delay = 0.1
        async with running(worker(pool, bus, slow)):
            while await build_position(pool) < 1_000:
                await asyncio.sleep(0.02)
        reached = await build_position(pool)
        second = SecondTally()
        async with running(worker(pool, bus, second)):
            async with asyncio.timeout(20):
                while await pool.fetchval("select version from projection.projection") == 1:
                    await asyncio.sleep(0.05)
        assert sum(second.batches) == sum(1 for at in range(reached + 1, 3_001) if at % 3)
        assert await trails(pool) == expected(bus)


async def test_another_log_of_the_source_is_noticed_and_everything_built_from_it(
    database: Database, bus: MemoryBus
):
    async with service_pool(database) as pool, running(worker(pool, bus, Tally())) as work:
        await work.wait_for("custody", count(bus, 600))
        bus.log("custody").restore(450)
        last = count(bus, 100)
        await until_content(pool, bus)
        await work.wait_for("custody", last)
        assert work.positions()["tally"]["custody"] == 550


async def test_a_restored_log_is_noticed_without_any_new_event(database: Database, bus: MemoryBus):
    async with service_pool(database) as pool, running(worker(pool, bus, Tally())) as work:
        last = count(bus, 600)
        await work.wait_for("custody", last)
        bus.log("custody").restore(last - 100)
        await until_content(pool, bus)


async def test_a_log_restored_while_the_worker_was_away_is_noticed(
    database: Database, bus: MemoryBus
):
    async with service_pool(database) as pool:
        async with running(worker(pool, bus, Tally(), TwoSources())) as work:
            await work.wait_for("custody", count(bus, 600))
        bus.log("custody").restore(100)
        count(bus, 1_000)
        async with running(worker(pool, bus, Tally(), TwoSources())):
            await until_content(pool, bus)
            await until_content(pool, bus, "pair.amount")


async def test_a_rebuild_by_another_process_moves_the_running_worker_to_the_new_tables(
    database: Database, bus: MemoryBus
):
    async with service_pool(database, 12) as pool, running(worker(pool, bus, Tally())) as work:
        await work.wait_for("custody", count(bus, 600))
        await worker(pool, bus, Tally()).rebuild("tally")
        await work.wait_for("custody", count(bus, 600))
        assert await trails(pool) == expected(bus)
        previous = await trails(pool, "tally__previous.amount")
        assert sum(map(len, previous.values())) == 400


async def test_a_repaired_handler_and_a_rebuild_leave_nothing_parked(
    database: Database, bus: MemoryBus
):
    tally = Tally()
    tally.broken = {"toy-3"}
    async with service_pool(database) as pool, running(worker(pool, bus, tally)) as work:
        bus.log("custody").add("custody.toy-counted.v1", "toy-3", {"value": -1})
        await work.wait_for("custody", count(bus, 100))
        assert await work.parked()
        tally.broken = set()
        await work.rebuild("tally")
        assert await work.parked() == []
        await work.wait_for("custody", count(bus, 100))
        assert await trails(pool) == expected(bus)


async def until_content(pool, bus: MemoryBus, table: str = "tally.amount") -> None:
    async with asyncio.timeout(15):
        while await trails(pool, table) != expected(bus):
            await asyncio.sleep(0.05)


async def build_position(pool) -> int:
    return await pool.fetchval(
        "select coalesce(max(position), 0) from projection.checkpoint where generation = 2"
    )


async def generations(pool) -> list[str]:
    rows = await pool.fetch("select nspname from pg_namespace where nspname like 'tally%'")
    return sorted(row["nspname"] for row in rows)
