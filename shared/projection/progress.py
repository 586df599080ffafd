"""How far a lane is, and who waits for it."""

import asyncio
import heapq
from itertools import count


class Milestones:
    """The position that a reader may count on, with waiters woken the moment theirs is reached."""

    def __init__(self) -> None:
        self.position = 0
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
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
        heapq.heappush(self._waiting, (position, next(self._order), future))
        await future
