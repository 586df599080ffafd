"""`rebuild MODEL`: a read model of all the store's events, built and flipped to."""

import sys
from time import perf_counter

import uvloop

from shared import memory
from tests.bench import holdings
from tests.bench.load import say
from tests.bench.service import Bench


async def main(model: str) -> None:
    async with Bench.opened() as bench, bench.connected() as nats:
        projection = getattr(holdings, model)()
        await bench.forget()
        worker = bench.worker(nats, projection)
        events = await bench.store.position()
        memory.settle()
        began = perf_counter()
        await worker.rebuild(projection.name, lambda done, total: None)
        seconds = perf_counter() - began
        counted = await holdings.SQL.counted(bench.pool)
        if counted != events:
            raise SystemExit(f"{counted} hand-overs in the read model instead of {events}")
        say({"rate": events / seconds})


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1]))
