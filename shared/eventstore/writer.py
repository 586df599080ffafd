"""Group commit: two tasks per process turn waiting appends into batches.

There is no linger timer: a batch is what has come in while those before it were being committed.
One lane suffices for few callers; of many, half are prepared while the others are being synced.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from shared.eventstore import queries
from shared.eventstore.batch import Batch, Verdict, unfounded
from shared.eventstore.errors import Unavailable
from shared.eventstore.model import Append, Appended
from shared.eventstore.patience import BACKOFF, PATIENCE, TRANSIENT

MAX_ROWS = 5_000
MAX_BYTES = 8 * 1024 * 1024
CALL_TIMEOUT = 10.0
LANES = 2
AHEAD = 32
"""So many must wait for a batch to be sent while another one is being committed."""
SHARED_SECONDS = 1.0
"""So long after an append by another process one lane works: two would wait for the lock."""

log = logging.getLogger(__name__)


class Ticket:
    """The answers that one caller waits for."""

    def __init__(self, count: int, done: asyncio.Future[None]) -> None:
        self.verdicts: list[Verdict | Exception | None] = [None] * count
        self.done = done
        self.lost: set[UUID] = set()
        self._left = count

    def settle(self, place: int, verdict: Verdict | Exception) -> None:
        self.verdicts[place] = verdict
        self._left -= 1
        if not self._left and not self.done.done():
            self.done.set_result(None)


@dataclass(slots=True)
class Waiting:
    append: Append
    ticket: Ticket
    place: int
    rows: int
    bytes: int
    deadline: float
    alone: bool = False

    def settle(self, verdict: Verdict | Exception) -> None:
        if not isinstance(verdict, Appended) or verdict.replayed:
            self.ticket.lost.add(self.append.command_id)
        self.ticket.settle(self.place, verdict)


class Lane:
    """A connection of its own, and whose appends are being committed on it."""

    def __init__(self, connect: Callable[[], Awaitable[asyncpg.Connection]]) -> None:
        self.tickets: set[Ticket] = set()
        self.events = 0
        self.wake = asyncio.Event()
        self._connect = connect
        self._connection: asyncpg.Connection | None = None

    async def commit(self, batch: Batch) -> list[Verdict]:
        if not batch.appends:
            return []
        if self._connection is None or self._connection.is_closed():
            self._connection = await self._connect()
        if batch.sequential:
            with suppress(asyncpg.UniqueViolationError):
                head = await self._connection.fetchval(
                    queries.APPEND, *batch.whole(), timeout=CALL_TIMEOUT
                )
                if head is not None:
                    return batch.appended(head)
        rows = await self._connection.fetch(
            queries.APPEND_EACH, *batch.each(), timeout=CALL_TIMEOUT
        )
        return batch.verdicts(rows)

    def disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(*TRANSIENT):
                connection.terminate()

    async def close(self) -> None:
        if self._connection is not None:
            with suppress(*TRANSIENT):
                await self._connection.close(timeout=2)


class Writer:
    """Appends batches, in the order of each caller.

    When the database is lost every append is tried again until its time is over: the database
    knows a command that was committed by its id, so that trying again is safe.
    """

    def __init__(
        self,
        connect: Callable[[], Awaitable[asyncpg.Connection]],
        on_append: Sequence[Callable[[int], None]],
        patience: float = PATIENCE,
    ) -> None:
        self._on_append = on_append
        self._patience = patience
        self._queue: deque[Waiting] = deque()
        self._closing = False
        # Asking for the running loop asks the kernel for the pid, at each append (Python 3.11).
        self._loop = asyncio.get_running_loop()
        self._own = self._others = 0
        self._shared_until = 0.0
        self._lanes = [Lane(connect) for _ in range(LANES)]
        self._tasks = [
            asyncio.create_task(self._run(lane), name="eventstore-writer") for lane in self._lanes
        ]

    async def submit(self, appends: Sequence[Append]) -> list[Verdict | Exception]:
        """Queue appends in this order and wait for their verdicts."""
        if self._closing:
            raise Unavailable("the event store is closed")
        ticket = Ticket(len(appends), self._loop.create_future())
        deadline = self._loop.time() + self._patience
        before = len(self._queue)
        for place, append in enumerate(appends):
            self._queue.append(_waiting(append, ticket, place, deadline))
        if not before or before < AHEAD <= len(self._queue):
            self._rouse()
        if appends:
            await ticket.done
        return ticket.verdicts  # type: ignore[return-value]

    async def close(self) -> None:
        """Commit what is queued, then stop."""
        self._closing = True
        self._wake_all()
        await asyncio.gather(*self._tasks)
        for lane in self._lanes:
            await lane.close()

    def _rouse(self) -> None:
        """Wake one lane, if it may take what waits: a lane that ends a batch looks by itself."""
        idle = [lane for lane in self._lanes if not lane.tickets]
        if idle and (len(idle) == LANES or len(self._queue) >= AHEAD):
            idle[0].wake.set()

    def _wake_all(self) -> None:
        for lane in self._lanes:
            lane.wake.set()

    async def _run(self, lane: Lane) -> None:
        pause = BACKOFF[0]
        while True:
            batch = self._next_batch()
            if batch:
                lane.tickets = {one.ticket for one in batch}
                self._rouse()
                pause = await self._take(lane, batch, pause)
                lane.tickets, lane.events = set(), 0
                if self._closing:
                    self._wake_all()
            elif self._closing and not self._queue:
                return
            else:
                lane.wake.clear()
                await lane.wake.wait()

    async def _take(self, lane: Lane, batch: list[Waiting], pause: float) -> float:
        """Commits a batch; the pause after the next time that the database is lost."""
        batch = [one for one in batch if not self._unfounded(one)]
        try:
            await self._append(lane, batch)
        except TRANSIENT as error:
            log.warning("event store: append failed, trying again: %r", error)
            lane.disconnect()
            await self._wait_and_requeue(batch, pause)
            return min(pause * 2, BACKOFF[1])
        except Exception as error:
            log.exception("event store: append failed")
            self._isolate(batch, error)
        return BACKOFF[0]

    def _next_batch(self) -> list[Waiting]:
        """What waits, in order, up to the bounds; a command id at most once.

        Beside a batch that is being committed, none of its callers' and no small one. Without one,
        half of many: the other lane prepares the rest meanwhile. A caller's are not parted for it.
        """
        batch: list[Waiting] = []
        ids: set[object] = set()
        rows = size = 0
        queue = self._queue
        flying = [lane.tickets for lane in self._lanes if lane.tickets]
        most = len(queue)
        shared = self._loop.time() < self._shared_until
        if flying and (shared or most < AHEAD):
            return batch
        if not flying and not shared and most >= 2 * AHEAD:
            most //= 2
        while queue and (len(batch) < most or queue[0].ticket is batch[-1].ticket):
            waiting = queue[0]
            rows += waiting.rows
            size += waiting.bytes
            full = rows > MAX_ROWS or size > MAX_BYTES or waiting.alone
            known = waiting.append.command_id in ids
            if (batch and full) or known or any(waiting.ticket in those for those in flying):
                break
            ids.add(waiting.append.command_id)
            batch.append(queue.popleft())
            if waiting.alone:
                break
        return batch

    async def _append(self, lane: Lane, waiting: Sequence[Waiting]) -> None:
        batch = Batch()
        for one in waiting:
            batch.add(one.append)
        lane.events = batch.events
        verdicts = await lane.commit(batch)
        lane.events = 0
        for one, verdict in zip(waiting, verdicts, strict=True):
            one.settle(verdict)
        self._announce(verdicts)

    @staticmethod
    def _unfounded(one: Waiting) -> bool:
        """Whether it follows an append that an earlier batch did not take; then it is settled."""
        lost = not one.ticket.lost.isdisjoint(one.append.follows)
        if lost:
            one.settle(unfounded(one.append))
        return lost

    def _announce(self, verdicts: Sequence[Verdict]) -> None:
        fresh = [v for v in verdicts if isinstance(v, Appended) and v.first and not v.replayed]
        if fresh:
            self._own += sum(v.last - v.first + 1 for v in fresh)
            last = max(v.last for v in fresh)
            self._compare(last)
            for notify in self._on_append:
                try:
                    notify(last)
                except Exception:
                    log.exception("event store: a listener failed")

    def _compare(self, last: int) -> None:
        """See whether others append too: positions that are not ours, nor under way."""
        others = last - self._own - sum(lane.events for lane in self._lanes)
        if others > self._others:
            self._others = others
            self._shared_until = self._loop.time() + SHARED_SECONDS

    async def _wait_and_requeue(self, batch: Sequence[Waiting], pause: float) -> None:
        self._queue.extendleft(reversed(batch))
        now = self._loop.time()
        kept: deque[Waiting] = deque()
        for waiting in self._queue:
            if waiting.deadline > now:
                kept.append(waiting)
            else:
                waiting.settle(Unavailable(f"no answer within {self._patience:g} s"))
        self._queue = kept
        if kept:
            await asyncio.sleep(pause)

    def _isolate(self, batch: Sequence[Waiting], error: Exception) -> None:
        """An append that the database cannot take must not fail its neighbours: each goes alone."""
        if len(batch) == 1:
            batch[0].settle(error)
            return
        for waiting in batch:
            waiting.alone = True
        self._queue.extendleft(reversed(batch))


def _waiting(append: Append, ticket: Ticket, place: int, deadline: float) -> Waiting:
    rows = size = 0
    for write in append.writes:
        rows += len(write.events)
        for event in write.events:
            size += len(event.data) + 400
    return Waiting(append, ticket, place, rows + 1, size, deadline)
