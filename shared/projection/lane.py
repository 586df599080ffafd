"""One source of one consumer: its messages in order, none missing."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from itertools import pairwise
from uuid import UUID

import asyncpg

from shared.bus.cancellation import heed
from shared.bus.message import Message
from shared.projection.consumer import Consumer
from shared.projection.errors import (
    Fenced,
    OtherLog,
    OtherVersion,
    Stale,
    Unavailable,
    describe,
)
from shared.projection.inbox import Inbox
from shared.projection.patience import Pause
from shared.projection.ports import Replay
from shared.projection.progress import Milestones
from shared.projection.writer import Guard, Writer

log = logging.getLogger(__name__)

BATCH = 1_000
PASS_OVER = 2_000
"""How far a lane reads past events that it does not handle before it saves its place."""
SAVE_SECONDS = 0.05
"""How long other processes do not see that a lane has passed over events."""
IDLE_SECONDS = 5.0
REBUILD_POLL_SECONDS = 0.05
SHOWN_SECONDS = 1.0


class Lane:
    """Follows one source; up to `position` everything is applied and committed.

    `behind`: lanes of the same source that show an event before it is handled here.
    """

    def __init__(
        self,
        consumer: Consumer,
        source: str,
        pool: asyncpg.Pool,
        replay: Replay,
        guard: Guard,
        *,
        generation: int | None = None,
        on_stale: Callable[["Lane", Stale], None] = lambda lane, stale: None,
    ) -> None:
        self.consumer = consumer
        self.source = source
        self.inbox = Inbox()
        self.progress = Milestones()
        self.writer = Writer(consumer, source, pool, guard)
        self.loaded = False
        self.owner_position = 0
        self.last_recorded: datetime | None = None
        self.behind: Sequence[Lane] = ()
        self._replay = replay
        self._generation = generation
        self._on_stale = on_stale
        self._resumed = asyncio.Event()
        self._stale: Stale | None = None
        self._reload = self._stalled = False
        self._seen_position = -1
        self._save_at: float | None = None

    @property
    def position(self) -> int:
        return self.progress.position

    @property
    def log_id(self) -> UUID | None:
        return self.writer.checkpoint.log_id

    @property
    def lag_events(self) -> int:
        return max(0, self.owner_position - self.position)

    @property
    def lag_seconds(self) -> float:
        """Age of the newest event applied while there are newer ones; 0 when none is missing."""
        if not self.lag_events or self.last_recorded is None:
            return 0.0
        return max(0.0, (datetime.now(UTC) - self.last_recorded).total_seconds())

    async def run(self) -> None:
        """Until cancelled; what fails is logged and tried again from what the database says."""
        try:
            await self._run()
        finally:
            await self.writer.forget_mark()

    async def _run(self) -> None:
        pause = Pause()
        while True:
            try:
                await self.load()
                self.inbox.open = True
                while await self._step():
                    pause.over()
            except Fenced as fenced:
                log.info("%s", fenced)
                await asyncio.sleep(0.02)
            except Stale as stale:
                await self._wait_for_resume(stale)
            except Exception as error:
                heed()
                log.warning("%s from %s: %s", self.consumer.name, self.source, describe(error))
                self.inbox.reset(open=False)
                self._stalled = True
                await pause.wait()

    async def load(self) -> None:
        self._reload = False
        row = await self.writer.load(self._generation)
        self.progress.reach(row["position"])
        self.loaded = True
        if self._generation is None and row["version"] != self.consumer.version:
            raise OtherVersion(f"{self.consumer.name} was built by version {row['version']}")

    def resume(self) -> None:
        """Load the checkpoint again: another generation is live, or another log is to be read."""
        self._stale = None
        self._reload = True
        self._resumed.set()
        self.inbox.nudge()

    def owner_is_at(self, position: int, log_id: UUID) -> None:
        """What the owner says of its log: tells another log, and a stream that stopped flowing."""
        self.owner_position = position
        if self.log_id is not None and log_id != self.log_id:
            self._stale = OtherLog(self.source, log_id)
            self.inbox.nudge()
        elif self.position < position and self.position == self._seen_position:
            self._stalled = True
            self.inbox.nudge()
        self._seen_position = self.position

    async def catch_up(self) -> None:
        """Read what the owner has now, however fast it grows meanwhile, and save the place."""
        owner = await self._replay.position(self.source)
        if self.log_id is not None and owner.log_id != self.log_id:
            raise OtherLog(self.source, owner.log_id)
        self.owner_position = max(self.owner_position, owner.position)
        await self._fill(owner.position + 1)
        await self._save()

    async def shown(self, position: int, log_id: UUID) -> bool:
        """Whether what is up to `position` of this log is applied and committed, after a wait."""
        with suppress(TimeoutError):
            async with asyncio.timeout(SHOWN_SECONDS):
                await self.progress.wait(position)
                while self.log_id != log_id:
                    await asyncio.sleep(REBUILD_POLL_SECONDS)
                    await self.progress.wait(position)
                return True
        return False

    async def _step(self) -> bool:
        heed()
        if self._stalled:
            await self.catch_up()
            self._stalled = False
        batch = await self.inbox.take(BATCH, self._until_saving())
        if self._stale is not None:
            raise self._stale
        if self._reload:
            return False
        if batch:
            await self._advance(batch)
        if self._until_saving() <= 0:
            await self._save()
        return True

    def _until_saving(self) -> float:
        """Seconds that the place may stay unsaved; long where there is none to be saved."""
        now = asyncio.get_running_loop().time()
        if self.position <= self.writer.checkpoint.position:
            self._save_at = None
            return IDLE_SECONDS
        if self._save_at is None:
            self._save_at = now + SAVE_SECONDS
        return max(0.0, self._save_at - now)

    async def _advance(self, batch: Sequence[Message]) -> None:
        while (batch := _after(self.position, batch)) and await self._is_our_log(batch):
            if batch[0].position > self.position + 1:
                await self._fill(batch[0].position)
            else:
                await self._pass(_run(batch))

    async def _fill(self, before: int) -> None:
        """Read from the owner what lies between here and `before`."""
        while self.position + 1 < before:
            await self._pass(await self._page(self.position))

    async def _page(self, after: int, limit: int = BATCH) -> Sequence[Message]:
        """The events behind a position, as the owner has them."""
        heed()
        page = _after(after, await self._replay.read(self.source, after, limit))
        if not page or page[0].position != after + 1:
            raise Unavailable(f"{self.source} lacks event {after + 1} but has later ones")
        if self.log_id is not None and page[0].log_id != self.log_id:
            raise OtherLog(self.source, page[0].log_id)
        return _run(page)

    async def _pass(self, messages: Sequence[Message]) -> None:
        """Apply what is handled of these consecutive messages and go past the rest."""
        handles = self.consumer.handles
        handled = [message for message in messages if message.type in handles]
        last = messages[-1]
        if handled:
            await self._see(last)
        if handled or last.position - self.writer.checkpoint.position >= PASS_OVER:
            await self.writer.write(handled, last.position, last.log_id)
        elif self.log_id is None:
            self.writer.checkpoint.log_id = last.log_id
        self.last_recorded = last.recorded_at
        self.owner_position = max(self.owner_position, last.position)
        self.progress.reach(last.position)

    async def _see(self, last: Message) -> None:
        """Wait for those that go ahead; they may never get there if the log is replaced."""
        for lane in self.behind:
            while not await lane.shown(last.position, last.log_id):
                if self._stale is not None:
                    raise self._stale

    async def _save(self) -> None:
        if self.position > self.writer.checkpoint.position and self.log_id is not None:
            await self.writer.write((), self.position, self.log_id)

    async def _is_our_log(self, batch: Sequence[Message]) -> bool:
        """False for what an outdated stream still delivers; the owner knows the true log."""
        other = next((m.log_id for m in (batch[0], batch[-1]) if m.log_id != self.log_id), None)
        if other is None or self.log_id is None:
            return True
        owner = await self._replay.position(self.source)
        if owner.log_id != self.log_id:
            raise OtherLog(self.source, owner.log_id)
        log.warning("%s: the stream of %s holds another log", self.consumer.name, self.source)
        return False

    async def _wait_for_resume(self, stale: Stale) -> None:
        log.warning("%s stops: %s", self.consumer.name, stale)
        self.inbox.reset(open=False)
        if isinstance(stale, OtherLog):
            self.progress.reach(0)  # nothing of the log that readers now ask for is shown
        self._resumed.clear()
        self._on_stale(self, stale)
        await self._resumed.wait()


def _after(position: int, batch: Sequence[Message]) -> Sequence[Message]:
    if not batch or batch[0].position > position:
        return batch
    if batch[-1].position <= position:
        return ()
    return [message for message in batch if message.position > position]


def _run(batch: Sequence[Message]) -> Sequence[Message]:
    """The leading consecutive part of a batch."""
    if batch[-1].position - batch[0].position == len(batch) - 1:
        return batch
    for index, (one, two) in enumerate(pairwise(batch), start=1):
        if two.position != one.position + 1:
            return batch[:index]
    return batch
