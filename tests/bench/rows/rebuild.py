"""A read model built anew from a million events, by upserts and by a fold that is copied."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.bench.room import Room
from tests.bench.row import Contender, Row, Sampler, Target, figure
from tests.bench.service import provided

EVENTS = 1_000_000
FOLDING = "kawal, folding"


def _rebuilding(name: str, model: str) -> Contender:
    @asynccontextmanager
    async def open(room: Room) -> AsyncIterator[Sampler]:
        service = await provided(room, f"rebuild_{model.lower()}", EVENTS)
        yield lambda: room.python("tests.bench.programs.rebuild", model, env=service)

    return Contender(name, open)


ROW = Row(
    name="rebuild",
    title=f"rebuild of a projection from {EVENTS:,} events, upserting, and folding in memory",
    unit="events/s",
    contenders=(_rebuilding("kawal", "Holdings"), _rebuilding(FOLDING, "FoldedHoldings")),
    targets=(
        Target("events/s by upserts", 60_000, figure("kawal")),
        Target("events/s by a fold and COPY", 150_000, figure(FOLDING)),
    ),
    seconds=180,
)
