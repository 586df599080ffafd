"""Filling a generation from the owner's log: large transactions, and reading goes on meanwhile."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TypeVar
from uuid import UUID

import asyncpg

from shared.bus.message import Message
from shared.projection.base import Fold, Folding, Projection
from shared.projection.consumer import ReadModel
from shared.projection.errors import Poison, describe
from shared.projection.lane import Lane
from shared.projection.ports import Replay
from shared.projection.writer import Guard

log = logging.getLogger(__name__)

PAGE = 4_000
"""Events asked for at once; the owner answers with fewer where they are large."""
BATCH_EVENTS = 10_000
BATCH_BYTES = 16 * 1024 * 1024
MOST_EVENTS = 1_000_000
"""Events of a part of which hardly one is handled: a kill costs no more than reading them again."""

T = TypeVar("T")


@dataclass
class Batch(Fold):
    """The fold of a projection that has none: its events, handed over in one go."""

    projection: Projection
    messages: list[Message] = field(default_factory=list)
    size: int = 0

    @property
    def full(self) -> bool:
        return len(self.messages) >= BATCH_EVENTS or self.size >= BATCH_BYTES

    def add(self, messages: Sequence[Message]) -> None:
        self.messages += messages
        self.size += sum(len(message.data) for message in messages)

    async def write(self, connection: asyncpg.Connection, *, empty: bool) -> None:
        await self.projection.apply(connection, self.messages)


@dataclass(frozen=True, slots=True)
class Part:
    """What one transaction of a build writes: no fold where nothing was handled."""

    fold: Fold | None
    upto: int
    log_id: UUID


class Filler(Lane):
    """One source of a generation that nobody reads yet.

    What it cannot write in large parts, because an event is poison or killed a process, it writes
    as any lane does, from there on: that finds the event and parks it.
    """

    def __init__(
        self,
        consumer: ReadModel,
        source: str,
        pool: asyncpg.Pool,
        replay: Replay,
        guard: Guard,
        generation: int,
    ) -> None:
        super().__init__(consumer, source, pool, replay, guard, generation=generation)
        self._projection = consumer.projection
        self._gathered = 0
        self._in_parts = True

    @property
    def read(self) -> int:
        """How far it has read; `position` tells what is written."""
        return max(self.position, self._gathered)

    async def _fill(self, before: int) -> None:
        if self.position + 1 >= before:
            return
        if self._in_parts and not self.writer.suspects:
            await self.writer.mark_build()
            try:
                await self._write_parts(before)
            except Poison as poison:
                log.warning("build of %s goes on by batches: %s", self.consumer.name, poison)
                self._in_parts, self._gathered = False, 0
            finally:
                await self.writer.forget_mark()
        await super()._fill(before)

    async def _write_parts(self, before: int) -> None:
        async with aclosing(ahead(self._parts(before))) as parts:
            async for part in parts:
                await self.writer.write_fold(part.fold, part.upto, part.log_id)
                self.progress.reach(part.upto)

    async def _parts(self, before: int) -> AsyncGenerator[Part, None]:
        fold, last, begin = None, None, self.position
        async with aclosing(ahead(self._pages(before))) as pages:
            async for page in pages:
                last = page[-1]
                fold = self._add(fold, page)
                self._gathered = last.position
                if (fold is not None and fold.full) or last.position - begin >= MOST_EVENTS:
                    yield Part(fold, last.position, last.log_id)
                    fold, last, begin = None, None, last.position
        if last is not None:
            yield Part(fold, last.position, last.log_id)

    async def _pages(self, before: int) -> AsyncGenerator[Sequence[Message], None]:
        """All of one log: it may be replaced by another one long before a part of it is written."""
        at = self.position
        while at + 1 < before:
            page = await self._page(at, PAGE)
            at, self.writer.checkpoint.log_id = page[-1].position, page[-1].log_id
            yield page

    def _add(self, fold: Fold | None, page: Sequence[Message]) -> Fold | None:
        handles = self.consumer.handles
        handled = [message for message in page if message.type in handles]
        if not handled:
            return fold
        fold = fold or self._new()
        try:
            fold.add(handled)
        except Exception as error:
            raise Poison(describe(error)) from error
        return fold

    def _new(self) -> Fold:
        of = self._projection
        return of.fold() if isinstance(of, Folding) else Batch(of)


async def ahead(items: AsyncGenerator[T, None]) -> AsyncIterator[T]:
    """The same items, each made while the one before it is used."""
    coming = asyncio.ensure_future(anext(items, None))
    try:
        while (item := await coming) is not None:
            coming = asyncio.ensure_future(anext(items, None))
            yield item
    finally:
        coming.cancel()
        await asyncio.gather(coming, return_exceptions=True)
        await items.aclose()
