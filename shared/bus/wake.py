"""Waking a relay: in process by the store, between processes by a core-NATS hint.

A hint may be lost: the relay polls as well.
"""

import asyncio
import logging
from typing import Any

from nats import errors

from shared.bus import subjects
from shared.bus.connection import Client

log = logging.getLogger(__name__)


class Announcer:
    """Hints that a log has grown to the relay in another process; many appends make one hint.

    `store.on_append.append(Announcer(nats, "custody"))` in a process that has no relay.
    """

    def __init__(self, nats: Client, service: str) -> None:
        self._nats = nats
        self._subject = subjects.wake(service)
        self._last = 0
        self._sending: asyncio.Task[None] | None = None

    def __call__(self, last: int) -> None:
        self._last = max(self._last, last)
        if self._sending is None or self._sending.done():
            self._sending = asyncio.get_running_loop().create_task(self._send())

    async def _send(self) -> None:
        sent = 0
        while sent < self._last:
            sent = self._last
            try:
                await self._nats.publish(self._subject, str(sent).encode())
            except errors.Error as error:
                log.debug("hint not sent: %s", error)


class Alarm:
    """What a relay sleeps on: rung by the store, by a hint, or by a lost connection."""

    def __init__(self) -> None:
        self.known = 0
        self._rung = asyncio.Event()

    def appended(self, last: int) -> None:
        """The log is known to reach `last`."""
        self.known = max(self.known, last)
        self._rung.set()

    def hinted(self, subject: bytes, reply: bytes, data: bytes, headers: Any) -> None:
        if data.isdigit():
            self.appended(int(data))

    def ring(self) -> None:
        self._rung.set()

    async def sleep(self, at_most: float) -> bool:
        """Whether it was rung within `at_most` seconds; a ring before the sleep counts."""
        try:
            async with asyncio.timeout(at_most):
                await self._rung.wait()
        except TimeoutError:
            return False
        self._rung.clear()
        return True
