"""Publishing a run of positions, fenced: what does not follow the stream's end is refused.

Three ways, by the length of the run: a lone event is one publish; a short run is pipelined, each
message expecting its predecessor; a long one is an atomic batch, all or none, which has a fixed
cost (see `ATOMIC_FROM`).
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

import orjson
from nats.errors import NoRespondersError

from shared.bus.connection import Client

ATOMIC_FROM = 100
ATOMIC_MOST = 1_000
ACK_SECONDS = 10.0

_VERSION = b"NATS/1.0\r\n"


class PublishRefused(Exception):
    """The server did not store the run, or not all of it; `code` is JetStream's error code."""

    def __init__(self, code: int, description: str) -> None:
        super().__init__(f"{description} ({code})")
        self.code = code


class ConnectionLost(Exception):
    """Nobody knows what was stored of a run: the stream will say."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What the stream shall hold at `position`."""

    position: int
    subject: str
    block: bytes
    data: bytes


class Publisher:
    """Publishes on one connection. After any error, drop the connection and read the stream."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._inbox = client.new_inbox()
        self._answers: dict[bytes, asyncio.Future[bytes]] = {}
        self._numbers = count(1)
        self._subscription = None

    async def open(self) -> None:
        self._client.on_lost.append(self._lost)
        self._subscription = await self._client.tap(f"{self._inbox}.*", self._answered)

    async def close(self) -> None:
        self._client.on_lost.remove(self._lost)
        if self._subscription is not None:
            await self._client.untap(self._subscription)
        for waiting in tuple(self._answers.values()):
            waiting.cancel()

    async def publish(self, run: Sequence[Outgoing]) -> None:
        """Store `run`, consecutive positions, behind the message at the position before it."""
        if len(run) >= ATOMIC_FROM:
            await self._atomic(run)
        else:
            await self._pipelined(run)

    async def _pipelined(self, run: Sequence[Outgoing]) -> None:
        waiting, commands = [], []
        for out in run:
            inbox, answer = self._expect()
            commands.append(_hpub(out, _expecting(out), inbox))
            waiting.append((out.position, answer))
        await self._client.send(b"".join(commands))
        async with asyncio.timeout(ACK_SECONDS):
            for position, answer in waiting:
                _check(await answer, position)

    async def _atomic(self, run: Sequence[Outgoing]) -> None:
        inbox, answer = self._expect()
        batch = b"Nats-Batch-Id: " + inbox[-40:].replace(b".", b"-") + b"\r\nNats-Batch-Sequence: "
        commands = [_hpub(run[0], _expecting(run[0]) + batch + b"1\r\n")]
        for number, out in enumerate(run[1:-1], 2):
            commands.append(_hpub(out, batch + b"%d\r\n" % number))
        commit = batch + b"%d\r\nNats-Batch-Commit: 1\r\n" % len(run)
        commands.append(_hpub(run[-1], commit, inbox))
        await self._client.send(b"".join(commands))
        async with asyncio.timeout(ACK_SECONDS):
            _check(await answer, run[-1].position)

    def _expect(self) -> tuple[bytes, asyncio.Future[bytes]]:
        inbox = f"{self._inbox}.{next(self._numbers)}".encode()
        answer = self._answers[inbox] = asyncio.get_running_loop().create_future()
        answer.add_done_callback(lambda _: self._answers.pop(inbox, None))
        answer.add_done_callback(lambda done: done.cancelled() or done.exception())
        return inbox, answer

    def _lost(self) -> None:
        for answer in tuple(self._answers.values()):
            if not answer.done():
                answer.set_exception(ConnectionLost())

    def _answered(self, subject: bytes, reply: bytes, data: bytes, headers: bytes) -> None:
        answer = self._answers.get(subject)
        if answer is None or answer.done():
            return
        if headers.startswith(b"NATS/1.0 503"):
            answer.set_exception(NoRespondersError())
        else:
            answer.set_result(data)


def _expecting(out: Outgoing) -> bytes:
    return b"Nats-Expected-Last-Sequence: %d\r\n" % (out.position - 1)


def _hpub(out: Outgoing, control: bytes, reply: bytes = b"") -> bytes:
    head = len(_VERSION) + len(control) + len(out.block) + 2
    line = b"HPUB %b %b %d %d\r\n" % (out.subject.encode(), reply, head, head + len(out.data))
    return b"".join((line, _VERSION, control, out.block, b"\r\n", out.data, b"\r\n"))


def _check(answer: bytes, position: int) -> None:
    """The acknowledged sequence must be the position: anything else ends the term."""
    stored = orjson.loads(answer)
    if error := stored.get("error"):
        raise PublishRefused(error.get("err_code", error["code"]), error["description"])
    if stored["seq"] != position:
        raise PublishRefused(0, f"stored as {stored['seq']} instead of {position}")
