"""From a command's commit to the read model: what a reader waits for at 1,000 events/s."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.bench.room import Room
from tests.bench.row import Contender, Row, Sampler, Target, figure
from tests.bench.service import provided


@asynccontextmanager
async def _showing(room: Room) -> AsyncIterator[Sampler]:
    service = await provided(room, "visible", 0)
    yield lambda: room.python("tests.bench.programs.show", room.seconds, env=service)


ROW = Row(
    name="visible",
    title="commit to visible in the read model, at 1,000 events/s",
    unit="ms",
    measure="p50_ms",
    contenders=(Contender("kawal", _showing),),
    targets=(
        Target("ms, half of the events", 10, figure("kawal", "p50_ms"), most=True),
        Target("ms, 99 % of the events", 50, figure("kawal", "p99_ms"), most=True),
        Target("events/s", 950, figure("kawal")),
    ),
    seconds=60,
)
