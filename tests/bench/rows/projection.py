"""From the stream to a read model committed: the real engine beside the peers' own runners."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.bench.peers import projection_contenders
from tests.bench.room import Room
from tests.bench.row import Contender, Row, Sampler, Target, figure, times
from tests.bench.service import provided, relayed

EVENTS = 150_000


@asynccontextmanager
async def _projecting(room: Room) -> AsyncIterator[Sampler]:
    service = await provided(room, "projection", EVENTS)
    await relayed(service, EVENTS)
    yield lambda: room.python("tests.bench.programs.project", EVENTS, env=service)


ROW = Row(
    name="projection",
    title="projection, JetStream to read model committed, one process",
    unit="events/s",
    contenders=(Contender("kawal", _projecting), *projection_contenders()),
    targets=(
        Target("events/s", 25_000, figure("kawal")),
        Target(
            "x the best of eventsourcing's and Emmett's own",
            15,
            times("kawal", "eventsourcing", "emmett"),
        ),
    ),
    seconds=120,
)
