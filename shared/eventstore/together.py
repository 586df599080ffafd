"""Lone commands that come at the same moment go together: one look-up and one load for all."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from shared.eventstore.command import Request
from shared.eventstore.model import Appended

Answer = Appended | Exception


class Together:
    """What is asked in one turn of the event loop is answered by one call of `answer`.

    There is no timer: one that comes alone does not wait for others.
    """

    def __init__(self, answer: Callable[[Sequence[Request]], Awaitable[list[Answer]]]) -> None:
        self._answer = answer
        self._asked: list[tuple[Request, asyncio.Future[Answer]]] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def ask(self, request: Request) -> Answer:
        """The answer to this request."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Answer] = loop.create_future()
        if not self._asked:
            loop.call_soon(self._start)
        self._asked.append((request, future))
        return await future

    def _start(self) -> None:
        asked, self._asked = self._asked, []
        task = asyncio.create_task(self._run(asked))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, asked: Sequence[tuple[Request, asyncio.Future[Answer]]]) -> None:
        try:
            answers = await self._answer([request for request, _ in asked])
        except Exception as error:
            answers = [error] * len(asked)
        for (_, future), answer in zip(asked, answers, strict=True):
            if not future.done():
                future.set_result(answer)
