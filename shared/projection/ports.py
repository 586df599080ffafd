"""What the engine needs of the bus and of the command side."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Protocol
from uuid import UUID

from shared.bus.message import Message
from shared.eventstore import Command, Context


class Owner(Protocol):
    """Where a log ends, as its owner says."""

    @property
    def position(self) -> int: ...
    @property
    def log_id(self) -> UUID: ...


class Replay(Protocol):
    """The owners' replay: any range of any service's log, from its store."""

    async def read(self, service: str, after: int, limit: int) -> Sequence[Message]: ...

    async def position(self, service: str) -> Owner: ...


OpenFeed = Callable[[str, int], AsyncIterator[Sequence[Message]]]
"""Reads the stream of a service behind a position: batches in order, for ever."""

ContextFactory = Callable[[Sequence[Command]], Awaitable[Context]]
"""Who carries out the commands of policies, when, and with which of the service's own look-ups."""
