"""`relay DSN NATS_URL PASSWORD`: a filled store onto an empty stream, and then a comparison.

The rate is of positions acknowledged by the stream, from the relay's start to its last. Any
difference between the store and what the stream then holds ends the program with an error.
"""

import asyncio
import sys
from time import perf_counter
from uuid import UUID

import uvloop

from shared import memory
from shared.bus.connection import Client, connect
from shared.bus.feed import Feed
from shared.bus.message import Message
from shared.bus.relay import Relay
from shared.bus.streams import find
from shared.bus.subjects import stream_name
from shared.eventstore import EventStore, Recorded
from tests.bench.load import say
from tests.bench.room import CELL

SERVICE = "custody"
STREAM = stream_name(SERVICE, CELL)
AT_MOST = 120.0
SILENCE = 10.0


async def main(dsn: str, url: str, password: str) -> None:
    nats = await connect(url, SERVICE, password, "bench", patience=10)
    async with await EventStore.open(dsn, service=SERVICE) as store:
        await empty(nats)
        last = await store.position()
        memory.settle()
        took = await relayed(store, await connect(url, SERVICE, password, "bench-relay"), last)
        await compare(store, nats, last)
    await nats.close()
    say({"rate": last / took, "events": last})


async def empty(nats: Client) -> None:
    if await find(nats.jetstream(), STREAM):
        await nats.jetstream().delete_stream(STREAM)


async def relayed(store: EventStore, nats: Client, last: int) -> float:
    """Seconds until the stream has acknowledged position `last`."""
    relay = Relay(store, nats, SERVICE, CELL)
    began = perf_counter()
    running = asyncio.create_task(relay.run())
    try:
        async with asyncio.timeout(AT_MOST):
            while relay.published < last:
                await asyncio.sleep(0.002)
        return perf_counter() - began
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await nats.close()


async def compare(store: EventStore, nats: Client, last: int) -> None:
    """Exit with an error unless the stream holds every event, in the store's order, and no more."""
    position = 0
    async with Feed(nats, STREAM) as feed:
        while position < last:
            copied = await feed.batch(SILENCE)
            stored = await store.read_all(position, len(copied))
            if not copied or [_said(one) for one in copied] != [_said(one) for one in stored]:
                raise SystemExit(f"the stream is no copy of the store behind position {position}")
            position = copied[-1].position
        if await feed.batch(0.1):
            raise SystemExit(f"the stream goes on behind position {last}")


def _said(one: Recorded | Message) -> tuple[int, UUID, bytes]:
    return one.position, one.id, one.data


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
