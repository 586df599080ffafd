"""A file of commands as a request: read, decided and answered line by line, never held whole."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any

import orjson
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from shared.errors import Refused
from shared.web.body import parse
from shared.web.problems import TooLarge, problem_of

log = logging.getLogger(__name__)

NDJSON = "application/x-ndjson"
MOST_LINE_BYTES = 1024 * 1024
ROUND_LINES, ROUND_BYTES = 250, 128 * 1024
"""What is decided at a time; between two rounds others get their turn."""
MOST_UNREAD_BYTES = 32 * 1024 * 1024

Line = tuple[int, bytes | Refused]
"""The number of a line, from 1, and what is in it, or why it is not read."""

Judge = Callable[[Sequence[tuple[int, Any]]], Awaitable[list[dict[str, Any]]]]
"""The verdicts on commands, each with its place in the request, from 0."""


class Lines:
    """Cuts pieces of a body into lines. An empty line counts, and is passed over."""

    def __init__(self, most_bytes: int = MOST_LINE_BYTES) -> None:
        self.number = 0
        self._most = most_bytes
        self._rest = b""
        self._too_long = False

    def feed(self, piece: bytes) -> Iterator[Line]:
        """The lines that end in this piece."""
        first, *others = piece.split(b"\n")
        if not others:
            self._keep(first)
            return
        self._keep(first)
        yield from self._line()
        for line in others[:-1]:
            self._keep(line)
            yield from self._line()
        self._keep(others[-1])

    def end(self) -> Iterator[Line]:
        """What is left is a line, unless nothing is."""
        if self._rest or self._too_long:
            yield from self._line()

    def _line(self) -> Iterator[Line]:
        line, too_long = self._rest.strip(), self._too_long
        self._rest, self._too_long = b"", False
        self.number += 1
        if too_long:
            yield self.number, TooLarge(f"A line may have {self._most} bytes", limit=self._most)
        elif line:
            yield self.number, line

    def _keep(self, part: bytes) -> None:
        if len(self._rest) + len(part) > self._most:
            self._rest, self._too_long = b"", True
        elif not self._too_long:
            self._rest = self._rest + part if self._rest else part


def rounds(lines: Sequence[Line]) -> Iterator[Sequence[Line]]:
    """The lines, as many at a time as are decided together."""
    start = size = 0
    for place, (_, line) in enumerate(lines):
        size += len(line) if isinstance(line, bytes) else 0
        if place > start and (place - start == ROUND_LINES or size > ROUND_BYTES):
            yield lines[start:place]
            start, size = place, len(line) if isinstance(line, bytes) else 0
    yield lines[start:]


class Upload(Response):
    """Answers a body of commands, one a line, with a line for each: its number and its verdict.

    What has come is decided while the rest is on its way. A client that reads no answer before
    it has sent all is no hindrance: answers wait for it, `MOST_UNREAD_BYTES` of them; what is
    behind those is not decided.
    """

    media_type = NDJSON

    def __init__(self, body: AsyncIterator[bytes], judge: Judge, most: int) -> None:
        super().__init__()
        del self.headers["content-length"]
        self._body = body
        self._judge = judge
        self._most = most
        self._answers: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._unread = 0
        self._answered = 0
        self._away: dict[str, Any] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        deciding = asyncio.create_task(self._decide())
        try:
            # Not before the first answer: a client may wait for the "100 Continue" of the first
            # read, which is not sent any more once an answer has begun.
            answer = await self._answers.get()
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            while answer is not None:
                self._unread -= len(answer)
                await send({"type": "http.response.body", "body": answer, "more_body": True})
                answer = await self._answers.get()
            await send({"type": "http.response.body", "body": b""})
        finally:
            deciding.cancel()

    async def _decide(self) -> None:
        lines = Lines()
        try:
            async for piece in self._body:
                await self._answer(list(lines.feed(piece)), lines.number)
            await self._answer(list(lines.end()), lines.number)
        except ClientDisconnect:
            log.info("an upload broke off after line %d", lines.number)
        except Exception as error:
            self._say([{"line": self._answered + 1, **problem_of(error)}])
        finally:
            self._answers.put_nowait(None)
        # Who reads nothing before all is sent must come to its end.
        with suppress(ClientDisconnect, TooLarge):
            async for _ in self._body:
                pass

    async def _answer(self, lines: Sequence[Line], number: int) -> None:
        """Of all that came, empty ones too, `number` is the last."""
        for each in rounds([line for line in lines if line[0] <= self._most]):
            await self._round(each)
            if self._unread > MOST_UNREAD_BYTES:
                raise TooLarge("Read the answers while you send", limit=MOST_UNREAD_BYTES)
        if number > self._most:
            raise TooLarge(f"An upload may have {self._most} lines", limit=self._most)

    async def _round(self, lines: Sequence[Line]) -> None:
        if not lines:
            return
        await asyncio.sleep(0)  # lines that are no commands are answered without any other pause
        numbered = zip(lines, await self._verdicts(lines), strict=True)
        self._say([{"line": number, **verdict} for (number, _), verdict in numbered])
        self._answered = lines[-1][0]

    async def _verdicts(self, lines: Sequence[Line]) -> Sequence[dict[str, Any]]:
        """Once the store is away, what follows is told so and not tried."""
        if self._away is None:
            try:
                verdicts = await self._judge([(number - 1, _read(line)) for number, line in lines])
            except Exception as error:
                self._away = problem_of(error)
            else:
                self._away = next((each for each in verdicts if each["status"] == 503), None)
                return verdicts
        return [self._away] * len(lines)

    def _say(self, verdicts: Sequence[dict[str, Any]]) -> None:
        options = orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS
        said = [orjson.dumps(verdict, default=str, option=options) for verdict in verdicts]
        answer = b"".join(said)
        self._unread += len(answer)
        self._answers.put_nowait(answer)


def _read(line: bytes | Refused) -> Any:
    if isinstance(line, Refused):
        return line
    try:
        return parse(line)
    except Refused as error:
        return error
