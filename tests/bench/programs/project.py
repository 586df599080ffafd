"""`project EVENTS`: a worker from nothing to the read model of what the stream holds."""

import sys
from time import perf_counter

import uvloop

from shared import memory
from tests.bench.holdings import SQL, Holdings
from tests.bench.load import say
from tests.bench.service import SERVICE, Bench, at_work


async def main(events: int) -> None:
    async with Bench.opened() as bench, bench.connected() as nats:
        await bench.forget()
        worker = bench.worker(nats, Holdings())
        memory.settle()
        began = perf_counter()
        async with at_work(worker):
            await worker.wait_for(SERVICE, events, timeout=120)
            seconds = perf_counter() - began
        counted = await SQL.counted(bench.pool)
        if counted != events:
            raise SystemExit(f"{counted} hand-overs in the read model instead of {events}")
        say({"rate": events / seconds})


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
