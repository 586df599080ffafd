"""A hand-over of 400 units through the real rules: one command, 401 streams, all or none."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from tests.bench.room import Room
from tests.bench.row import Contender, Row, Sampler, Target, figure
from tests.bench.stores import copying, store

COLD = "kawal, states read anew"


@asynccontextmanager
async def _handing(room: Room, *how: str) -> AsyncIterator[Sampler]:
    database = await store(room)
    yield partial(
        room.python, "tests.bench.programs.hand_over", database.app_dsn, room.seconds, *how
    )


ROW = Row(
    name="hand-over-400",
    title="hand-over of 400 units (401 streams, one command after another)",
    unit="events/s",
    contenders=(
        Contender("kawal", _handing),
        Contender(COLD, lambda room: _handing(room, "COLD")),
        copying(),
    ),
    targets=(Target("events/s appended", 25_000, figure("kawal")),),
    seconds=90,
)
