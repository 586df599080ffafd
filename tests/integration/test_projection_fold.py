"""What a build folds in memory is what the events give one batch at a time."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import asyncpg
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tally import (
    COUNTED,
    OTHER,
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
from shared.projection import Fold, Folding, Projection, Worker, filling
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


class Killed(BaseException):
    """The end of a process in the midst of something."""


class FatalBus(MemoryBus):
    """Its readers die at page `dies_at`; at page `restored_at` another log takes the place of the
    first one, which it shares `kept` events with."""

    def __init__(self) -> None:
        super().__init__()
        self.dies_at = self.restored_at = 0
        self.kept = 0
        self.then: Happened = []

    async def read(self, service: str, after: int, limit: int) -> Sequence[Message]:
        page = await super().read(service, after, limit)
        self.dies_at, self.restored_at = self.dies_at - 1, self.restored_at - 1
        if self.dies_at == 0:
            raise Killed
        if self.restored_at == 0:
            self.log(service).restore(self.kept)
            record(self, self.then)
        return page


Happened = list[tuple[int, int, bool]]
"""Events: the number of a stream, a value, and whether it is of a type that is handled."""

EVENTS = st.lists(st.tuples(st.integers(0, 3), st.integers(-1, 9), st.booleans()), max_size=40)


def record(bus: MemoryBus, events: Happened) -> None:
    for stream, value, handled in events:
        kind = COUNTED if handled else OTHER
        bus.log("custody").add(kind, f"toy-{stream}", {"value": value})


def sound(bus: MemoryBus, broken: str) -> dict[str, list[int]]:
    """What is expected where `broken` is parked from its first negative value on."""
    found = expected(bus)
    values = {m.position: orjson.loads(m.data)["value"] for m in bus.log("custody").messages}
    bad = next((at for at in found.get(broken, ()) if values[at] < 0), None)
    if bad is not None:
        found[broken] = [at for at in found[broken] if at < bad]
    return {stream: trail for stream, trail in found.items() if trail}


async def test_a_log_that_is_replaced_while_a_fold_is_gathered_is_read_from_its_start(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filling, "PAGE", 10)
    bus = FatalBus()
    record(bus, [(1, 1, True)] * 40)
    bus.then, bus.restored_at, bus.kept = [(2, 1, True)] * 40, 3, 10
    async with service_pool(database) as pool:
        await worker(pool, bus, FoldedTally()).rebuild("tally")
        assert await trails(pool) == expected(bus)


async def test_a_kill_costs_no_more_than_a_stretch_of_what_is_not_handled(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filling, "PAGE", 10)
    monkeypatch.setattr(filling, "MOST_EVENTS", 20)
    bus = FatalBus()
    record(bus, [(1, 1, False)] * 100)
    bus.dies_at = 5
    async with service_pool(database) as pool:
        await _built_or_killed(worker(pool, bus, FoldedTally()))
        assert await pool.fetchval("select max(position) from projection.checkpoint") == 40


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    events=EVENTS,
    then=EVENTS,
    page=st.integers(1, 9),
    most=st.integers(1, 50),
    stretch=st.integers(1, 60),
    deaths=st.lists(st.integers(1, 12), max_size=2),
    restored=st.tuples(st.integers(0, 12), st.integers(0, 40)),
)
async def test_whatever_is_killed_replaced_or_poison_the_content_is_that_of_the_log(
    database: Database, events, then, page, most, stretch, deaths, restored
) -> None:
    bus = FatalBus()
    record(bus, events)
    bus.then, (bus.restored_at, bus.kept) = then, restored
    async with service_pool(database) as pool:
        await pool.execute("delete from projection.projection")
        await pool.execute("drop schema if exists tally, tally__previous cascade")
        with pytest.MonkeyPatch.context() as small:
            small.setattr(filling, "PAGE", page)
            small.setattr(filling, "MOST_EVENTS", stretch)
            for dies_at in deaths:
                bus.dies_at = dies_at
                await _built_or_killed(worker(pool, bus, FoldedTally(most, {"toy-3"})))
            bus.dies_at = 0
            await worker(pool, bus, FoldedTally(most, {"toy-3"})).rebuild("tally")
        assert await trails(pool) == sound(bus, "toy-3")
        log = bus.log("custody")
        place = await pool.fetchrow(
            "select c.position, c.log_id from projection.checkpoint c"
            " join projection.projection p using (name, generation)"
        )
        assert tuple(place) == (log.position, log.log_id if log.position else None)


async def _built_or_killed(dying: Worker) -> None:
    with pytest.MonkeyPatch.context() as killed, suppress(Killed):
        killed.setattr(Writer, "forget_mark", _nothing)  # which a kill -9 does not do either
        await dying.rebuild("tally")


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
