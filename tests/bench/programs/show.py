"""`show SECONDS`: 1,000 commands a second of one event each, and how long until each can be read.

Store, relay and worker are in this process, as in a service that has all roles. The time runs from
the commit of an append to the commit of the read model.
"""

import asyncio
import sys
from time import perf_counter
from uuid import uuid4

import uvloop

from shared import memory
from shared.eventstore import Append, Expected, Metadata, NewEvent, Write, uuid7
from shared.projection import Worker
from tests.bench.holdings import HANDED_OVER, NOW, REGION, Holdings, body
from tests.bench.load import percentiles, say
from tests.bench.service import SERVICE, Bench, at_work

RATE = 1_000
WARM_UP = 500
TICK = 0.002
METADATA = Metadata("person-1", "kpu", NOW)


def command(number: int) -> Append:
    event = NewEvent(uuid7(), HANDED_OVER, body(number), REGION, (REGION,))
    write = Write(f"unit-{uuid4()}", Expected.NONE, (event,))
    return Append(uuid4(), bytes(32), (write,), {}, METADATA)


async def shown(bench: Bench, worker: Worker, number: int) -> float:
    """Seconds from the commit of an event until the read model has it."""
    appended = await bench.store.append(command(number))
    began = perf_counter()
    await worker.wait_for(SERVICE, appended.last, timeout=30)
    return perf_counter() - began


async def main(seconds: float) -> None:
    async with Bench.opened() as bench, bench.connected() as nats, bench.relaying():
        await bench.forget()
        worker = bench.worker(nats, Holdings())
        async with at_work(worker):
            await asyncio.gather(*(shown(bench, worker, n) for n in range(WARM_UP)))
            memory.settle()
            began = perf_counter()
            waiting: list[asyncio.Task[float]] = []
            while (passed := perf_counter() - began) < seconds:
                while len(waiting) < passed * RATE:
                    waiting.append(asyncio.create_task(shown(bench, worker, len(waiting))))
                await asyncio.sleep(TICK)
            waits = await asyncio.gather(*waiting)
            rate = len(waits) / (perf_counter() - began)
    say({"rate": rate, **percentiles(waits)})


if __name__ == "__main__":
    uvloop.run(main(float(sys.argv[1])))
