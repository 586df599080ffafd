"""The bounded buffer between a source's one reader and each projection that it serves."""

import asyncio
from collections import deque
from collections.abc import Sequence

from shared.bus.message import Message

CAPACITY = 8_000
CAPACITY_BYTES = 16 * 1024 * 1024
HEADER_BYTES = 700
"""About what the headers of a message take."""
PATIENCE_SECONDS = 5.0


class Inbox:
    """Batches for one lane.

    A lane that does not drain it within `patience` loses batches rather than the others' time: it
    sees the gap later and reads what is missing from the owner.
    """

    def __init__(self, capacity: int = CAPACITY, patience: float = PATIENCE_SECONDS) -> None:
        self._batches: deque[Sequence[Message]] = deque()
        self._size = self._bytes = 0
        self._capacity = capacity
        self._patience = patience
        self._arrived = asyncio.Event()
        self._room = asyncio.Event()
        self._dropping = False
        self.open = False

    async def put(self, batch: Sequence[Message]) -> None:
        if self.open and not self._dropping and self._full():
            await self._wait_for_room()
        if not self.open or self._dropping:
            return
        self._batches.append(batch)
        self._size += len(batch)
        self._bytes += _bytes(batch)
        self._arrived.set()

    async def take(self, limit: int, seconds: float) -> list[Message]:
        """Up to `limit` messages in order of arrival; empty after `seconds` or a `nudge`."""
        if not self._batches:
            self._arrived.clear()
            self._dropping = False
            try:
                async with asyncio.timeout(seconds):
                    await self._arrived.wait()
            except TimeoutError:
                return []
        taken: list[Message] = []
        while self._batches and len(taken) < limit:
            taken.extend(self._cut(limit - len(taken)))
        self._size -= len(taken)
        self._bytes -= _bytes(taken)
        self._room.set()
        return taken

    def nudge(self) -> None:
        """Let a waiting `take` return at once."""
        self._arrived.set()

    def reset(self, *, open: bool) -> None:
        self._batches.clear()
        self._size = self._bytes = 0
        self._dropping = False
        self.open = open
        self._room.set()

    def _cut(self, limit: int) -> Sequence[Message]:
        batch = self._batches.popleft()
        if len(batch) > limit:
            self._batches.appendleft(batch[limit:])
            return batch[:limit]
        return batch

    async def _wait_for_room(self) -> None:
        self._room.clear()
        try:
            async with asyncio.timeout(self._patience):
                await self._room.wait()
        except TimeoutError:
            self._dropping = self._full()

    def _full(self) -> bool:
        return self._size >= self._capacity or self._bytes >= CAPACITY_BYTES


def _bytes(messages: Sequence[Message]) -> int:
    return sum([len(message.data) for message in messages]) + HEADER_BYTES * len(messages)
