"""Trying again until it works: an outage is waited out, never a reason to exit."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from shared.bus.cancellation import heed
from shared.projection.errors import Stale, describe

log = logging.getLogger(__name__)

T = TypeVar("T")

MAX_PAUSE_SECONDS = 5.0


class Pause:
    """Waits longer each time, until `over`."""

    def __init__(self, first: float = 0.1) -> None:
        self._first = self._next = first

    def over(self) -> None:
        self._next = self._first

    async def wait(self) -> None:
        await asyncio.sleep(self._next)
        self._next = min(self._next * 2, MAX_PAUSE_SECONDS)


async def patiently(act: Callable[[], Awaitable[T]], what: str) -> T:
    """What `act` returns, however often it has to be tried; `Stale` does not heal and is raised."""
    pause = Pause()
    while True:
        try:
            return await act()
        except Stale:
            raise
        except Exception as error:
            log.warning("%s waits: %s", what, describe(error))
            await pause.wait()
        finally:
            heed()
