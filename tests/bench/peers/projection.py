"""Stored events to a committed read model, by the peers: who holds which unit.

The events are stored beforehand, through each peer's own append; the figure is what it read,
projected and committed a second, by its own tracked position.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

from tests.bench.room import Room
from tests.bench.row import Contender, Sampler


def projection_contenders() -> Sequence[Contender]:
    """The peers that have projections of their own."""
    return tuple(
        Contender(name, partial(_projecting, name, program))
        for name, program in (
            ("eventsourcing", "eventsourcing_projection.py"),
            ("emmett", "emmett_projection.mjs"),
        )
    )


@asynccontextmanager
async def _projecting(name: str, program: str, room: Room) -> AsyncIterator[Sampler]:
    peers = await asyncio.to_thread(lambda: room.peers)
    database = await room.database(f"{name}_projection")
    command = (*peers.program(program), database.owner_dsn, room.seconds)
    yield partial(room.run, *command, env=peers.environment())
