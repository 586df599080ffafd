"""Stored events to a committed read model, by the peers: who holds which unit.

The events are stored beforehand, through each peer's own append; the figure is what it read,
projected and committed a second, by its own tracked position. Emmett's consumer takes a size of its
batches: it is tried with several, a second each, and the best is measured.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

from tests.bench.peers.variants import Variant, fastest
from tests.bench.room import Room
from tests.bench.row import Contender, Sample, Sampler

BATCHES = ((100,), (1_000,), (5_000,))


def projection_contenders() -> Sequence[Contender]:
    """The peers that have projections of their own."""
    return tuple(
        Contender(name, partial(_projecting, name, program, variants))
        for name, program, variants in (
            ("eventsourcing", "eventsourcing_projection.py", ((),)),
            ("emmett", "emmett_projection.mjs", BATCHES),
        )
    )


@asynccontextmanager
async def _projecting(
    name: str, program: str, variants: Sequence[Variant], room: Room
) -> AsyncIterator[Sampler]:
    peers = await asyncio.to_thread(lambda: room.peers)
    database = await room.database(f"{name}_projection")

    async def project(variant: Variant, seconds: float) -> Sample:
        command = (*peers.program(program), database.owner_dsn, seconds, *variant)
        return await room.run(*command, env=peers.environment())

    yield partial(project, await fastest(project, variants), room.seconds)
