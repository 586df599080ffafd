"""One reader of a source for all the consumers of a process, and one eye on where its owner is."""

import asyncio
import logging
from contextlib import aclosing

from shared.bus.cancellation import heed
from shared.projection.errors import Unavailable, describe
from shared.projection.lane import Lane
from shared.projection.patience import Pause
from shared.projection.ports import OpenFeed, Replay

log = logging.getLogger(__name__)

WATCH_SECONDS = 2.0
GATHER_SECONDS = 2.0
FAR_BEHIND = 20_000
"""A lane further behind the others than this reads from the owner instead of holding them back."""
SILENT_WATCHES = 3


class Hub:
    """Delivers a source's stream to its lanes; a lane that misses something fetches it itself.

    `own`: the source is this service's own log.
    """

    def __init__(
        self,
        source: str,
        lanes: list[Lane],
        open_feed: OpenFeed,
        replay: Replay,
        *,
        own: bool = False,
    ) -> None:
        self.source = source
        self.lanes = lanes
        self._open_feed = open_feed
        self._replay = replay
        self._own = own
        self._owner_position = 0
        self._position = 0
        self._reader: asyncio.Task[None] | None = None

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watch())
            tasks.create_task(self._read())

    def owner_reaches(self, position: int) -> None:
        self._owner_position = max(self._owner_position, position)

    async def _read(self) -> None:
        pause = Pause()
        while True:
            before = self._position
            self._reader = asyncio.create_task(self._read_once())
            try:
                await asyncio.wait([self._reader])
            finally:
                self._reader.cancel()
            if not self._reader.cancelled() and (error := self._reader.exception()):
                log.warning("stream of %s: %s", self.source, describe(error))
            if self._position != before:
                pause.over()
            await pause.wait()

    async def _read_once(self) -> None:
        await self._some_lane()
        self._position = self._start()
        async with aclosing(self._open_feed(self.source, self._position)) as batches:
            async for batch in batches:
                if batch:
                    await self._trust(batch[-1].position)
                    heed()
                    self._position = batch[-1].position
                    for lane in self.lanes:
                        await lane.inbox.put(batch)

    async def _trust(self, position: int) -> None:
        """Our stream still has what a restored log has lost, until the relay replaces it: to act on
        that would be to act on what did not happen."""
        if not self._own or position <= self._owner_position:
            return
        self._owner_position = (await self._replay.position(self.source)).position
        if position > self._owner_position:
            raise Unavailable(f"it is at {position}, the log at {self._owner_position}")

    async def _some_lane(self) -> None:
        """Wait for the lanes to know their places: a moment for all, and on for a first one."""
        waited = 0.0
        while not all(lane.loaded for lane in self.lanes):
            if waited > GATHER_SECONDS and any(lane.loaded for lane in self.lanes):
                return
            await asyncio.sleep(0.02)
            waited += 0.02

    def _start(self) -> int:
        positions = [lane.position for lane in self.lanes if lane.loaded]
        return min(at for at in positions if at >= max(positions) - FAR_BEHIND)

    async def _watch(self) -> None:
        """Ask the owner where it is; open a stream anew that is silent although there is more."""
        silent, seen = 0, -1
        while True:
            try:
                owner = await self._replay.position(self.source)
            except Exception as error:
                log.debug("%s does not say where it is: %s", self.source, describe(error))
            else:
                self._owner_position = owner.position
                for lane in self.lanes:
                    if lane.loaded:
                        lane.owner_is_at(owner.position, owner.log_id)
                quiet = seen == self._position < owner.position
                silent, seen = silent + 1 if quiet else 0, self._position
                if silent >= SILENT_WATCHES and self._reader is not None:
                    silent = 0
                    self._reader.cancel()
            heed()
            await asyncio.sleep(WATCH_SECONDS)
