"""The business clock: moved by the simulator alone, never backwards, and ticks that act once."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import ClassVar
from uuid import UUID

import pytest

from shared.clock import ClockBackwards, MoveClock, RealClock, Scheduler, SimulatedClock
from shared.clock.moving import ClockDecider
from shared.contracts.base import Id
from shared.contracts.custody import ClockMoved
from shared.errors import Refused
from shared.eventstore import Appended, Command, Context, Request
from shared.testing.scenario import given

START = datetime(2023, 9, 1, tzinfo=UTC)
LATER = START + timedelta(days=30)
DECIDER = ClockDecider("custody", "31", START)


def moved(at: datetime) -> ClockMoved:
    return ClockMoved(region="31", to=at)


def test_the_clock_moves_forward():
    given(by=DECIDER).when(MoveClock(to=LATER)).then(moved(LATER))
    given(moved(LATER), by=DECIDER).when(MoveClock(to=LATER + timedelta(1))).then(
        moved(LATER + timedelta(1))
    )


def test_the_clock_never_moves_backwards():
    given(moved(LATER), by=DECIDER).when(MoveClock(to=START)).then(ClockBackwards)
    given(by=DECIDER).when(MoveClock(to=START - timedelta(1))).then(ClockBackwards)


def test_moving_to_where_it_stands_does_nothing():
    given(moved(LATER), by=DECIDER).when(MoveClock(to=LATER)).then_nothing()


@dataclass
class Moves:
    """The stream `clock` of a store."""

    events: list[ClockMoved] = field(default_factory=list)

    async def read_stream(self, stream: str, after: int = 0) -> list:
        @dataclass
        class Row:
            version: int
            data: bytes

        rows = [Row(n, event.encode()) for n, event in enumerate(self.events, 1)]
        return rows[after:] if stream == "clock" else []


async def test_a_simulated_clock_stands_where_the_log_says():
    clock, moves = SimulatedClock("custody", START), Moves()
    clock.store = moves
    assert not await clock.refresh() and clock.now() == START
    moves.events += [moved(START + timedelta(1)), moved(LATER)]
    assert await clock.refresh() and clock.now() == LATER
    assert not await clock.refresh()


async def test_a_real_clock_is_the_time():
    assert abs(RealClock().now() - datetime.now(UTC)) < timedelta(seconds=1)
    assert not await RealClock().refresh()


class MarkLate(Command):
    name: ClassVar[str] = "mark-late"
    consignment: Id
    as_of: datetime

    def streams(self) -> tuple[str, ...]:
        return (f"consignment-{self.consignment}",)


@dataclass
class Store:
    """A handler that accepts each id once, and refuses what it is told to."""

    accepted: dict[UUID, Command] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    asked: int = 0

    async def handle_many(self, requests: Sequence[Request]) -> list[Appended | Exception]:
        return [self._one(request) for request in requests]

    def _one(self, request: Request) -> Appended | Exception:
        self.asked += 1
        if request.command.consignment in self.refused:
            return Refused("not yet")
        replayed = request.command_id in self.accepted
        self.accepted.setdefault(request.command_id, request.command)
        return Appended(1, 1, b"{}", replayed)


async def context(commands: Sequence[Command]) -> Context:
    return Context(START, "custody", "system", frozenset("*"), frozenset("*"))


def scheduler(store: Store, *ticks) -> Scheduler:
    clock = SimulatedClock("custody", LATER)
    return Scheduler("custody", clock, store, ticks, context)  # type: ignore[arg-type]


async def late(now: datetime) -> list[Command]:
    return [MarkLate(consignment=name, as_of=now) for name in ("C-1", "C-2")]


async def test_what_is_due_happens_once_however_often_it_is_named():
    store = Store()
    one = scheduler(store, late)
    assert [await one.turn() for _ in range(3)] == [2, 0, 0]
    assert store.asked == 2
    another_process = scheduler(store, late)
    assert await another_process.turn() == 0
    assert len(store.accepted) == 2


async def test_the_id_of_a_command_does_not_depend_on_when_it_was_noticed():
    one = scheduler(Store())
    ids = {one.command_id(MarkLate(consignment="C-1", as_of=at)) for at in (START, LATER)}
    assert len(ids) == 1


async def test_what_is_refused_now_is_tried_again():
    store = Store(refused={"C-2"})
    one = scheduler(store, late)
    assert await one.turn() == 1
    store.refused.clear()
    assert await one.turn() == 1


async def test_a_tick_that_fails_does_not_keep_others_from_theirs():
    async def broken(now: datetime) -> list[Command]:
        raise ValueError("no")

    assert await scheduler(Store(), broken, late).turn() == 2


async def test_read_models_are_up_to_date_before_a_tick_reads_them():
    order = []

    async def settled() -> None:
        order.append("settled")

    async def tick(now: datetime) -> list[Command]:
        order.append("tick")
        return []

    clock = SimulatedClock("custody", LATER)
    await Scheduler("custody", clock, Store(), [tick], context, settled=settled).turn()  # type: ignore[arg-type]
    assert order == ["settled", "tick"]


@pytest.mark.parametrize("body", ['{"to": "2024-01-01T00:00:00"}', '{"to": 5}', "{}"])
def test_a_move_names_an_instant(body):
    with pytest.raises(ValueError):
        MoveClock.model_validate_json(body, strict=True)
