"""Writes messages' effect and the checkpoint in one transaction; parks what cannot be applied."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import compress
from uuid import UUID, uuid4

import asyncpg

from shared.bus.message import Message
from shared.projection import metrics, queries, tracing
from shared.projection.base import Fold
from shared.projection.consumer import Consumer
from shared.projection.errors import Fenced, Poison, Unavailable, describe, is_poison

GUARDED_MESSAGES = 4_000
"""So far from its start a lane marks each batch before handling it: a batch and a pass-over."""
DEATHS = 2
"""An event on which this many processes died, alone, is parked by the next one."""

MARKED = 1_000
"""Events that are handled one by one after a death in a build that folds."""
FORGET_SECONDS = 2.0


@dataclass(slots=True)
class Guard:
    """One per process: what may kill it is handled alone, so that its mark names the culprit."""

    process: UUID = field(default_factory=uuid4)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(slots=True)
class Checkpoint:
    """What the database says of one source of one generation, as this process last saw it."""

    generation: int
    schema: str
    log_id: UUID | None
    position: int
    parking: int
    parked: set[str] = field(default_factory=set)


class Writer:
    """The transactions of one lane. After an exception, `load` again before writing."""

    def __init__(self, consumer: Consumer, source: str, pool: asyncpg.Pool, guard: Guard) -> None:
        self.consumer = consumer
        self.source = source
        self.checkpoint = Checkpoint(0, "", None, 0, 0)
        self._pool = pool
        self._guard = guard
        self._guarded_until: int | None = None
        self._suspect_until = 0
        self._marked = False

    async def load(self, generation: int | None) -> asyncpg.Record:
        """Read the checkpoint of `generation` (None: the live one); answers its row."""
        async with self._pool.acquire() as connection:
            row = await queries.checkpoint.load(
                connection, name=self.consumer.name, source=self.source, generation=generation
            )
            if row is None:
                raise Unavailable(f"{self.consumer.name} has no checkpoint for {self.source}")
            self.checkpoint = Checkpoint(
                generation=row["generation"],
                schema=row["schema_name"],
                log_id=row["log_id"],
                position=row["position"],
                parking=row["parking"],
            )
            self.consumer.loaded(self.source, row)
            keys = queries.parking.parked_keys(connection, **self._place())
            self.checkpoint.parked = {key["key"] async for key in keys}
            if self._guarded_until is None:
                await self._look_for_a_death(connection)
        return row

    async def write(self, messages: Sequence[Message], upto: int, log_id: UUID) -> None:
        """Apply `messages`, the handled ones up to `upto`; parks those that cannot be applied."""
        guarded = messages and self.checkpoint.position < (self._guarded_until or 0)
        async with self.consumer.lock:  # always before the guard's: a flip holds the former
            if guarded:
                async with self._guard.lock:
                    await self._write_guarded(messages, upto, log_id)
            else:
                await self._write(messages, upto, log_id)

    @property
    def suspects(self) -> bool:
        """Whether a process died over what comes next, or something is parked already."""
        return bool(self.checkpoint.parked) or self.checkpoint.position < self._suspect_until

    async def mark_build(self) -> None:
        """From now on a death is told by its mark: who comes next does not fold."""
        await self._mark(self.checkpoint.position + 1, self.checkpoint.position + MARKED)

    async def write_fold(self, fold: Fold | None, upto: int, log_id: UUID) -> None:
        """Write what a build gathered up to `upto`. `Poison`: it cannot be, and nothing was."""
        empty = self.checkpoint.position == 0 and len(self.consumer.sources) == 1
        async with self.consumer.lock, self._pool.acquire() as connection:
            async with self._claimed(connection, upto, log_id, 0):
                if fold is not None:
                    await fold.write(connection, empty=empty)
        self.checkpoint.position, self.checkpoint.log_id = upto, log_id

    async def forget_mark(self) -> None:
        """At an orderly end: what was under way did not kill this process."""
        if self._marked:
            with contextlib.suppress(Exception):
                async with asyncio.timeout(FORGET_SECONDS), self._pool.acquire() as connection:
                    await queries.checkpoint.remove_mark(connection, **self._place())
            self._marked = False

    async def _look_for_a_death(self, connection: asyncpg.Connection) -> None:
        mark = await queries.checkpoint.read_mark(connection, **self._place())
        self._suspect_until = mark["last"] if mark else 0
        self._guarded_until = max(self.checkpoint.position, self._suspect_until) + GUARDED_MESSAGES

    async def _write_guarded(self, messages: Sequence[Message], upto: int, log_id: UUID) -> None:
        while messages and messages[0].position <= self._suspect_until:
            first, messages = messages[0], messages[1:]
            end = first.position if messages else upto
            if await self._mark(first.position, first.position) >= DEATHS:
                error = f"{DEATHS + 1} processes died while handling this event"
                await self._commit([first], end, log_id, error)
            else:
                await self._write([first], end, log_id)
        if messages:
            await self._mark(messages[0].position, messages[-1].position)
            await self._write(messages, upto, log_id)

    async def _mark(self, position: int, last: int) -> int:
        async with self._pool.acquire() as connection:
            deaths = await queries.checkpoint.set_mark(
                connection,
                **self._place(),
                position=position,
                last=last,
                process=self._guard.process,
            )
        self._marked = True
        return deaths

    async def _write(self, messages: Sequence[Message], upto: int, log_id: UUID) -> None:
        try:
            await self._commit(messages, upto, log_id)
        except Poison as poison:
            if len(messages) == 1:
                await self._commit(messages, upto, log_id, describe(poison.__cause__ or poison))
                return
            middle = len(messages) // 2
            await self._write(messages[:middle], messages[middle - 1].position, log_id)
            await self._write(messages[middle:], upto, log_id)

    async def _commit(
        self, messages: Sequence[Message], upto: int, log_id: UUID, error: str | None = None
    ) -> None:
        ready, parked = self._sort(messages, error)
        async with self._pool.acquire() as connection:
            if not (ready or parked or self._marked):
                await self._claim(connection, upto, log_id, 0, applies=False)
            else:
                await self._transaction(connection, ready, parked, error, upto, log_id)
        self._advanced(upto, log_id, parked)
        if ready:
            self.consumer.committed()
            metrics.applied(self.consumer.name, self.source, len(ready))

    async def _transaction(
        self,
        connection: asyncpg.Connection,
        ready: Sequence[Message],
        parked: Sequence[Message],
        error: str | None,
        upto: int,
        log_id: UUID,
    ) -> None:
        async with self._claimed(connection, upto, log_id, int(bool(parked))):
            if ready:
                with tracing.batch(self.consumer.kind, self.consumer.name, self.source, ready):
                    await self.consumer.apply(connection, ready)
            if parked:
                await self._park(connection, parked, error)
            if self._marked:
                await queries.checkpoint.remove_mark(connection, **self._place())

    @asynccontextmanager
    async def _claimed(
        self, connection: asyncpg.Connection, upto: int, log_id: UUID, parks: int
    ) -> AsyncIterator[None]:
        """A transaction from its compare-and-set to its commit; what it fails by is told apart."""
        try:
            async with connection.transaction():
                await self._claim(connection, upto, log_id, parks)
                yield
        except (Fenced, Unavailable):
            raise
        except Exception as failure:
            if await is_poison(failure, connection):
                raise Poison(describe(failure)) from failure
            raise Unavailable(describe(failure)) from failure

    async def _claim(
        self,
        connection: asyncpg.Connection,
        upto: int,
        log_id: UUID,
        parks: int,
        *,
        applies: bool = True,
    ) -> None:
        at = self.checkpoint
        row = await queries.checkpoint.advance(
            connection,
            **self._place(),
            schema=at.schema,
            expected=at.position,
            parking=at.parking,
            position=upto,
            log_id=log_id,
            parks=parks,
            applies=applies,
        )
        if row is None:
            raise Fenced(f"{self.consumer.name} is no longer at {at.position} of {self.source}")

    def _sort(
        self, messages: Sequence[Message], error: str | None
    ) -> tuple[Sequence[Message], Sequence[Message]]:
        """What to apply, and what to park: the poison event, or those behind one that is parked."""
        if error is not None:
            return (), messages
        keys = self.checkpoint.parked
        if not keys:
            return messages, ()
        waits = [self.consumer.key(message) in keys for message in messages]
        ready = [message for message, waiting in zip(messages, waits, strict=True) if not waiting]
        return ready, list(compress(messages, waits))

    async def _park(
        self, connection: asyncpg.Connection, messages: Sequence[Message], error: str | None
    ) -> None:
        keys = [self.consumer.key(message) for message in messages]
        behind = [key in self.checkpoint.parked for key in keys]
        await queries.parking.park(
            connection,
            **self._place(),
            positions=[message.position for message in messages],
            keys=keys,
            ids=[message.id for message in messages],
            types=[message.type for message in messages],
            errors=[None if waits else error for waits in behind],
        )

    def _advanced(self, upto: int, log_id: UUID, parked: Sequence[Message]) -> None:
        at = self.checkpoint
        at.position, at.log_id = upto, log_id
        at.parking += bool(parked)
        at.parked.update(self.consumer.key(message) for message in parked)
        self._marked = False

    def _place(self) -> dict[str, object]:
        return {
            "name": self.consumer.name,
            "generation": self.checkpoint.generation,
            "source": self.source,
        }
