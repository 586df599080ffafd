"""What a build folds in memory is what the events give one batch at a time."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import asyncpg
import orjson
import pytest
from tally import (
    COUNTED,
    UPSERT,
    SecondTally,
    count,
    expected,
    running,
    service_pool,
    trails,
    worker,
)

from shared.bus.message import Message
from shared.projection import Fold, Folding, Projection, filling
from shared.projection.writer import Writer
from shared.testing.projections import MemoryBus
from shared.testing.provision import Database


class Amounts(Fold):
    """Trails by stream; what is negative in `broken` cannot be folded."""

    def __init__(self, most: int, broken: set[str]) -> None:
        self.rows: list[tuple[str, int, int]] = []
        self.most = most
        self.broken = broken
        self.copied = False

    @property
    def full(self) -> bool:
        return len(self.rows) >= self.most

    def add(self, messages: Sequence[Message]) -> None:
        for message in messages:
            value = orjson.loads(message.data)["value"]
            if value < 0 and message.stream in self.broken:
                raise ValueError("a negative value")
            self.rows.append((message.stream, value, message.position))

    async def write(self, connection: asyncpg.Connection, *, empty: bool) -> None:
        if not empty:
            await connection.execute(UPSERT, *map(list, zip(*self.rows, strict=True)))
            return
        records = {}
        for stream, value, position in self.rows:
            total, trail = records.get(stream, (0, []))
            records[stream] = (total + value, [*trail, position])
        await connection.copy_records_to_table(
            "amount", records=[(stream, *row) for stream, row in records.items()]
        )
        self.copied = True


class FoldedTally(Folding):
    name = "tally"
    sources = ("custody",)
    handles = frozenset({COUNTED})
    schema = Path(__file__).parent / "tally.sql"

    def __init__(self, most: int = 10_000, broken: set[str] = frozenset()) -> None:
        self.most = most
        self.broken = broken
        self.folds: list[Amounts] = []

    def fold(self) -> Amounts:
        self.folds.append(Amounts(self.most, self.broken))
        return self.folds[-1]


@pytest.fixture
def bus() -> MemoryBus:
    return MemoryBus()


@pytest.mark.parametrize("page", [1, 7, 1_000])
@pytest.mark.parametrize("most", [1, 50, 10_000])
async def test_folds_of_any_size_read_in_pages_of_any_size_give_the_same_content(
    database: Database, bus: MemoryBus, monkeypatch: pytest.MonkeyPatch, page: int, most: int
) -> None:
    monkeypatch.setattr(filling, "PAGE", page)
    count(bus, 300)
    tally = FoldedTally(most)
    async with service_pool(database) as pool:
        await worker(pool, bus, tally).rebuild("tally")
        assert await trails(pool) == expected(bus)
        assert [fold.copied for fold in tally.folds] == [True] + [False] * (len(tally.folds) - 1)
        async with running(worker(pool, bus, tally)) as work:
            await work.wait_for("custody", count(bus, 100))
            assert await trails(pool) == expected(bus)


@pytest.mark.parametrize("of", [FoldedTally, SecondTally])
async def test_an_event_that_cannot_be_folded_is_parked_with_those_behind_it(
    database: Database, bus: MemoryBus, of: type[Projection]
) -> None:
    tally = of()
    tally.broken = {"toy-3"}
    count(bus, 100)
    bad = bus.log("custody").add(COUNTED, "toy-3", {"value": -1}).position
    count(bus, 100)
    async with service_pool(database) as pool:
        work = worker(pool, bus, tally)
        await work.rebuild("tally")
        behind = [at for at in expected(bus)["toy-3"] if at > bad]
        assert [each.position for each in await work.parked()] == [bad, *behind]
        found = await trails(pool)
        assert found.pop("toy-3") == [at for at in expected(bus)["toy-3"] if at < bad]
        assert found == {k: v for k, v in expected(bus).items() if k != "toy-3"}


async def test_a_build_that_killed_its_process_is_done_again_in_batches(
    database: Database, bus: MemoryBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    count(bus, 300)
    async with service_pool(database) as pool:
        with monkeypatch.context() as killed:
            killed.setattr(Writer, "forget_mark", _nothing)  # which a kill -9 does not do either
            dying = asyncio.create_task(worker(pool, bus, FoldedTally()).rebuild("tally"))
            while not await pool.fetchval("select count(*) from projection.mark"):
                await asyncio.sleep(0)
            dying.cancel()
            await asyncio.gather(dying, return_exceptions=True)
        again = FoldedTally()
        async with running(worker(pool, bus, again)) as work:
            await work.wait_for("custody", count(bus, 3))
            while (await work.status())["tally"]["state"] != "live":
                await asyncio.sleep(0.02)
            assert await trails(pool) == expected(bus)
        assert again.folds and not any(fold.copied for fold in again.folds)


async def _nothing(_: Writer) -> None:
    return


async def test_what_is_not_handled_is_passed_over_without_a_fold(
    database: Database, bus: MemoryBus
) -> None:
    for _ in range(50):
        bus.log("custody").add("custody.toy-ignored.v1", "toy-1", {"value": 1})
    tally = FoldedTally()
    async with service_pool(database) as pool:
        await worker(pool, bus, tally).rebuild("tally")
        assert tally.folds == []
        places = "select max(position) from projection.checkpoint"
        assert await pool.fetchval(places) == 50


async def test_items_made_ahead_come_in_order_and_their_error_comes_last() -> None:
    made: list[int] = []

    async def items():
        for number in range(3):
            made.append(number)
            yield number
        raise ValueError("the end")

    seen: list[tuple[int, int]] = []
    with pytest.raises(ValueError, match="the end"):
        async for item in filling.ahead(items()):
            await asyncio.sleep(0.01)
            seen.append((item, made[-1]))
    assert seen == [(0, 1), (1, 2), (2, 2)]
