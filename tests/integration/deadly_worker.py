"""A process whose read model dies on event 42, as by a signal; it ends when it is through."""

import asyncio
import os
import sys
from pathlib import Path
from uuid import UUID

import asyncpg

sys.path.insert(0, str(Path(__file__).parents[2]))
from tally import Tally, running, worker

from shared.testing.projections import MemoryBus


class Deadly(Tally):
    async def apply(self, connection, messages):
        await super().apply(connection, messages)
        if any(message.position == 42 for message in messages):
            os._exit(9)


async def main(dsn: str) -> None:
    bus = MemoryBus()
    bus.log("custody").log_id = UUID(int=1)
    for at in range(1, 201):
        bus.log("custody").add("custody.toy-counted.v1", f"toy-{at % 7}", {"value": at})
    async with asyncpg.create_pool(dsn, min_size=1, max_size=4) as pool:
        async with running(worker(pool, bus, Deadly())) as work:
            await work.wait_for("custody", 200, timeout=20)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
