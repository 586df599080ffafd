"""The two kinds of consumer behind one face: read models write tables, reactors store intents."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import ClassVar, Literal

import asyncpg

from shared.bus.message import Message
from shared.projection.base import Policy, Projection
from shared.projection.intents import store_intents


class Consumer(ABC):
    """A projection or a policy as its lanes see it; `lock` keeps the lanes of one apart in time."""

    kind: ClassVar[Literal["projection", "policy"]]
    reads: tuple[str, ...] = ()

    def __init__(self, of: Projection | Policy, version: int) -> None:
        self.name = of.name
        self.version = version
        self.sources = of.sources
        self.handles = of.handles
        self.lock = asyncio.Lock()
        self._key = of.key

    def key(self, message: Message) -> str:
        """A key even for a message that the consumer cannot make one of."""
        try:
            return self._key(message)
        except Exception:
            return f"position {message.position}"

    @abstractmethod
    async def apply(self, connection: asyncpg.Connection, messages: Sequence[Message]) -> None: ...

    def loaded(self, source: str, checkpoint: asyncpg.Record) -> None:
        """Called with each checkpoint that a lane has read."""
        return

    def committed(self) -> None:
        """Called after each transaction that applied something."""
        return


class ReadModel(Consumer):
    kind = "projection"

    def __init__(self, projection: Projection) -> None:
        super().__init__(projection, projection.version)
        self.projection = projection

    async def apply(self, connection: asyncpg.Connection, messages: Sequence[Message]) -> None:
        await self.projection.apply(connection, messages)


class Reactor(Consumer):
    kind = "policy"

    def __init__(self, policy: Policy, wake: Callable[[], None]) -> None:
        super().__init__(policy, 1)
        self.policy = policy
        self.reads = policy.reads
        self._wake = wake
        self._since: dict[str, datetime | None] = {}

    def loaded(self, source: str, checkpoint: asyncpg.Record) -> None:
        self._since[source] = checkpoint["since"]

    def committed(self) -> None:
        self._wake()

    async def apply(self, connection: asyncpg.Connection, messages: Sequence[Message]) -> None:
        if since := self._since.get(messages[0].service):
            messages = [message for message in messages if message.recorded_at >= since]
        await store_intents(self.policy, connection, messages)
