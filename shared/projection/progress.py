"""How far a lane is, and who waits for it."""

import asyncio
import heapq
from itertools import count

Waiting = tuple[int, int, asyncio.Future[None]]
"""A position, an order among equal ones, and what to resolve."""


class Milestones:
    """The position that a reader may count on, with waiters woken the moment theirs is reached."""

    def __init__(self) -> None:
        self.position = 0
        self._waiting: list[Waiting] = []
        self._order = count()

    def reach(self, position: int) -> None:
        """Note the position; it may go back when another log replaces the one that was read."""
        self.position = position
        while self._waiting and self._waiting[0][0] <= position:
            future = heapq.heappop(self._waiting)[2]
            if not future.done():
                future.set_result(None)

    async def wait(self, position: int) -> None:
        if self.position >= position:
            return
        future = asyncio.get_running_loop().create_future()
        place = (position, next(self._order), future)
        heapq.heappush(self._waiting, place)
        try:
            await future
        finally:
            self._forget(place)

    def _forget(self, place: Waiting) -> None:
        """Who gives up leaves nothing behind, for some positions are never reached."""
        if place in self._waiting:
            self._waiting.remove(place)
            heapq.heapify(self._waiting)
