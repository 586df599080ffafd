"""The lane: commands that lost a race, decided again one batch at a time.

Commands that arrive for the same streams queue behind them instead of overtaking them, so that a
contended stream costs one conflict, not one for each waiting command.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from shared.eventstore.command import Asked

TRIES = 3
BATCH = 250


@dataclass(frozen=True, slots=True)
class Again:
    """An answer that does not stand: it was given on states that may have been old.

    Without a `reason` it was not given at all, for it comes behind such a one.
    """

    asked: Asked
    reason: Exception | None


@dataclass(slots=True)
class Waiting:
    asked: Asked
    answer: asyncio.Future[Any]
    tries: int = 0


class Lane:
    """`decide` answers a batch on fresh states; an answer `Again` is tried again."""

    def __init__(self, decide: Callable[[Sequence[Asked]], Awaitable[Sequence[Any]]]) -> None:
        self._decide = decide
        self._queue: deque[Waiting] = deque()
        self._hot: Counter[str] = Counter()
        self._task: asyncio.Task[None] | None = None

    def holds(self, streams: Sequence[str]) -> bool:
        """Whether a waiting command reads or writes one of these streams."""
        hot = self._hot
        return bool(hot) and any(stream in hot for stream in streams)

    def enter(self, asked: Asked) -> asyncio.Future[Any]:
        """Queue a command; the future gives its answer."""
        waiting = Waiting(asked, asyncio.get_running_loop().create_future())
        self._queue.append(waiting)
        self._hot.update(asked[1])
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="command-lane")
        return waiting.answer

    async def _run(self) -> None:
        try:
            while self._queue:
                count = min(len(self._queue), BATCH)
                await self._round([self._queue.popleft() for _ in range(count)])
        finally:
            self._task = None

    async def _round(self, batch: Sequence[Waiting]) -> None:
        try:
            answers = await self._decide([waiting.asked for waiting in batch])
        except Exception as error:
            answers = [error] * len(batch)
        again = []
        for waiting, answer in zip(batch, answers, strict=True):
            waiting.tries += 1
            if not isinstance(answer, Again):
                self._leave(waiting, answer)
            elif waiting.tries < TRIES:
                again.append(waiting)
            else:
                self._leave(waiting, answer.reason)
        self._queue.extendleft(reversed(again))

    def _leave(self, waiting: Waiting, answer: Any) -> None:
        for stream in waiting.asked[1]:
            self._hot[stream] -= 1
            if not self._hot[stream]:
                del self._hot[stream]
        if not waiting.answer.done():
            waiting.answer.set_result(answer)
