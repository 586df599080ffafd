"""Readers of the streams of one cell, as the engine opens them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing

from shared.bus.connection import Client
from shared.bus.feed import Feed
from shared.bus.message import Message
from shared.bus.subjects import stream_name
from shared.projection.ports import OpenFeed


def stream_feeds(nats: Client, cell: str) -> OpenFeed:
    """Opens the JetStream stream of a service; each reader has a disposable consumer of its own."""

    async def read(source: str, after: int) -> AsyncIterator[Sequence[Message]]:
        async with Feed(nats, stream_name(source, cell), after) as feed:
            async with aclosing(aiter(feed)) as batches:
                async for batch in batches:
                    yield batch

    return read
