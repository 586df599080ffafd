"""A feed reads a stream in order from a position, in whatever amounts its user can take.

One standing pull request with flow control of its own costs a few microseconds per message. The
consumer is disposable: whenever anything is in doubt (connection, consumer or stream lost, silence)
the feed makes a new one behind the last message that it received. Its user keeps the position.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from uuid import UUID

import orjson
from nats import errors
from nats.aio.subscription import Subscription
from nats.js.errors import Error as JetStreamError

from shared.bus import metrics
from shared.bus.cancellation import heed
from shared.bus.connection import Client
from shared.bus.consumer import Consumer
from shared.bus.message import Message, sequence
from shared.bus.streams import log_id_of

log = logging.getLogger(__name__)

WINDOW = 8_192
WINDOW_BYTES = 16 * 1024 * 1024
EXPIRES_SECONDS = 60
HEARTBEAT_SECONDS = 2
SILENCE_SECONDS = 3 * HEARTBEAT_SECONDS
RETRY_SECONDS = 0.5

_VERSION_LINE = b"NATS/1.0\r\n"


class EpochChanged(Exception):
    """The stream copies another log than the reader has followed: what it built is void."""

    def __init__(self, stream: str, followed: UUID, found: UUID) -> None:
        super().__init__(f"{stream} copies log {found}, no longer {followed}")
        self.stream = stream
        self.followed = followed
        self.found = found


class Feed:
    """Messages of `stream` behind position `after`.

    With `log_id`, a stream that copies another log raises `EpochChanged`, at once or
    when it happens; without it the first log found is the one followed.
    A gap in the positions is passed on as it is: what is missing is older than the window.
    """

    def __init__(
        self,
        nats: Client,
        stream: str,
        after: int = 0,
        *,
        log_id: UUID | None = None,
        window: int = WINDOW,
    ) -> None:
        self.stream = stream
        self.position = after
        self.log_id = log_id
        self._nats = nats
        self._consumer = Consumer(nats, stream)
        self._window = window
        self._buffer: list[Message] = []
        self._owed = 0
        self._lost = True
        self._error: EpochChanged | None = None
        self._mark = b""
        self._heard = 0.0
        self._arrived = asyncio.Event()
        self._subscription: Subscription | None = None
        self._reply = b""

    async def __aenter__(self) -> "Feed":
        self._nats.on_lost.append(self._lose)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._nats.on_lost.remove(self._lose)
        await self._forget()

    async def __aiter__(self) -> AsyncIterator[list[Message]]:
        while True:
            if messages := await self.batch():
                yield messages

    async def batch(self, wait: float = HEARTBEAT_SECONDS) -> list[Message]:
        """All that has arrived, in order; waits up to `wait` seconds for the first, else empty."""
        deadline = time.monotonic() + wait
        while not self._buffer:
            heed()
            if self._error:
                raise self._error
            left = deadline - time.monotonic()
            if left <= 0:
                return []
            await self._attend(left)
        messages, self._buffer = self._buffer, []
        if not self._lost:
            await self._ask()
        return messages

    async def _attend(self, seconds: float) -> None:
        if self._lost and not await self._open():
            await asyncio.sleep(min(seconds, RETRY_SECONDS))
            return
        self._arrived.clear()
        await self._ask()
        try:
            async with asyncio.timeout(min(seconds, HEARTBEAT_SECONDS)):
                await self._arrived.wait()
        except TimeoutError:
            if time.monotonic() - self._heard > SILENCE_SECONDS:
                self._lose()

    async def _open(self) -> bool:
        """A new consumer behind the last message; False if there is no stream to be read now."""
        await self._forget()
        try:
            await self._nats.connected()
            info = await self._consumer.stream_info()
            self._follow(log_id_of(info))
            if self._error is None:
                inbox = self._nats.new_inbox()
                self._subscription = await self._nats.tap(inbox, self._receive)
                await self._consumer.start(self.position + 1)
                self._reply = inbox.encode()
                self._lost = False
        except (errors.Error, JetStreamError, TimeoutError) as error:
            log.info("feed of %s waits: %s", self.stream, error or type(error).__name__)
            return False
        self._heard = time.monotonic()
        metrics.REOPENED.labels(self.stream).inc()
        return True

    def _follow(self, found: UUID | None) -> None:
        if found is None or found == self.log_id:
            pass
        elif self.log_id is None:
            self.log_id = found
        else:
            self._error = EpochChanged(self.stream, self.log_id, found)
        self._mark = f"log_id: {self.log_id}\r\n".encode()

    async def _forget(self) -> None:
        self._owed = 0
        self._lost = True
        subscription, self._subscription = self._subscription, None
        if subscription is not None:
            await self._nats.untap(subscription)

    def _lose(self) -> None:
        self._lost = True
        self._arrived.set()

    async def _ask(self) -> None:
        """Keep about a window requested: what is owed and what lies unread never exceed it."""
        room = self._window - self._owed - len(self._buffer)
        if self._lost or room < self._window // 2:
            return
        self._owed += room
        request = {
            "batch": room,
            "max_bytes": WINDOW_BYTES,
            "expires": EXPIRES_SECONDS * 10**9,
            "idle_heartbeat": HEARTBEAT_SECONDS * 10**9,
        }
        command = self._consumer.request(self._reply, orjson.dumps(request))
        try:
            await self._nats.send(command)
        except errors.Error:
            self._lose()

    def _receive(self, subject: bytes, reply: bytes, data: bytes, headers: bytes) -> None:
        self._heard = time.monotonic()
        if not reply:
            self._control(headers)
            return
        self._owed -= 1
        position = sequence(reply)
        if position <= self.position or self._error or self._lost:
            return
        message = Message(position, subject.decode(), data, headers)
        if self._mark not in headers:
            self._follow(message.log_id)
            if self._error:
                self._arrived.set()
                return
        self.position = position
        self._buffer.append(message)
        if not self._arrived.is_set():
            self._arrived.set()

    def _control(self, headers: bytes) -> None:
        """A status line of the server: a heartbeat, the end of a request, or the consumer's."""
        status = headers[9:12]
        if status == b"100":
            return
        left = _header(headers, b"Nats-Pending-Messages")
        if left.isdigit() and status in (b"404", b"408", b"409") and b"Deleted" not in headers:
            self._owed -= int(left)
            self._arrived.set()
        else:
            self._lose()


def _header(headers: bytes, name: bytes) -> bytes:
    start = headers.find(name + b": ")
    if start < 0:
        return b""
    start += len(name) + 2
    return headers[start : headers.find(b"\r", start)]
