"""From a filled store onto the stream, acknowledged, in order; then compared event by event."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from shared.eventstore import EventStore
from tests.bench.programs.append import command
from tests.bench.room import Room
from tests.bench.row import Contender, Row, Sampler, Target, figure
from tests.bench.stores import store

EVENTS_PER_SECOND = 25_000
PART = 5_000
SERVICE = "custody"


@asynccontextmanager
async def _relaying(room: Room) -> AsyncIterator[Sampler]:
    database, bus = await store(room), await room.nats()
    async with await EventStore.open(database.app_dsn, service=SERVICE) as filled:
        for _ in range(_events(room) // PART):
            await filled.append_many([command() for _ in range(PART)])
    where = database.app_dsn, bus.url, bus.passwords[SERVICE]
    yield partial(room.python, "tests.bench.programs.relay", *where)


@asynccontextmanager
async def _publishing(room: Room) -> AsyncIterator[Sampler]:
    bus = await room.nats()
    where = bus.url, bus.passwords[SERVICE], _events(room)
    yield partial(room.python, "tests.bench.programs.publish", *where)


def _events(room: Room) -> int:
    """So many that the wanted rate takes as long as a sample."""
    return max(PART, int(room.seconds * EVENTS_PER_SECOND) // PART * PART)


ROW = Row(
    name="relay",
    title="relay, store to stream acknowledged, in order, compared with the store at the end",
    unit="events/s",
    contenders=(Contender("kawal", _relaying), Contender("raw nats-py", _publishing)),
    targets=(Target("events/s", EVENTS_PER_SECOND, figure("kawal")),),
    seconds=90,
)
