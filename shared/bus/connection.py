"""Connections to NATS: named, never giving up, and never sending what an older connection owed."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

from nats import errors
from nats.aio.client import Client as NatsClient
from nats.aio.subscription import Subscription

log = logging.getLogger(__name__)

PING_SECONDS = 5
RECONNECT_SECONDS = 0.25
CONNECT_SECONDS = 5
PENDING_BYTES = 8 * 1024 * 1024

Sink = Callable[[bytes, bytes, bytes, bytes], None]
"""Takes subject, reply, payload and raw headers of one message, as they came off the wire."""


class Client(NatsClient):
    """A nats-py client with three additions.

    - `tap`: a subscription whose messages go to a plain function, headers unparsed (5 us each).
    - `send`: commands prepared by the caller, refused while disconnected.
    - What was buffered for a lost connection is forgotten and its open requests fail at once;
      `connections` counts them, and each function in `on_lost` is called when one is lost.
    """

    def __init__(self) -> None:
        super().__init__()
        self.connections = 1
        self.on_lost: list[Callable[[], None]] = []
        self._sinks: dict[int, Sink] = {}
        self._flushers: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Close, and see the end of every flusher: nats-py forgets one at each reconnect."""
        await super().close()
        others = [task for task in self._flushers if task is not asyncio.current_task()]
        for flusher in others:
            flusher.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def tap(self, subject: str, sink: Sink) -> Subscription:
        subscription = await self.subscribe(subject)
        self._sinks[subscription._id] = sink
        return subscription

    async def untap(self, subscription: Subscription) -> None:
        self._sinks.pop(subscription._id, None)
        if not (self.is_closed or subscription._closed):
            with suppress(errors.Error, OSError):  # a lost connection has no subscriptions
                await subscription.unsubscribe()

    async def send(self, command: bytes) -> None:
        """Write protocol text; returns when it is on its way (back-pressure beyond 8 MB)."""
        if not self.is_connected:
            raise errors.ConnectionClosedError
        await self._send_command(command)
        await self._flush_pending()

    async def drop(self) -> None:
        """Give up the present connection with all that is under way on it, and make a new one."""
        if not self.is_reconnecting:
            await self.force_reconnect()

    async def connected(self) -> None:
        """Return when there is a connection; a closed client raises."""
        while not self.is_connected:
            if self.is_closed:
                raise errors.ConnectionClosedError
            await asyncio.sleep(RECONNECT_SECONDS / 5)

    async def _process_msg(
        self, sid: int, subject: bytes, reply: bytes, data: bytes, headers: bytes
    ) -> None:
        sink = self._sinks.get(sid)
        if sink is None:
            await super()._process_msg(sid, subject, reply, data, headers)
            return
        try:
            sink(subject, reply, data, headers or b"")
        except Exception:  # it would end nats-py's reading for good
            log.exception("message on %s", subject)

    async def _flusher(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._flushers.add(task)
        try:
            await super()._flusher()
        finally:
            self._flushers.discard(task)

    async def _attempt_reconnect(self) -> None:
        self._pending.clear()
        self._pending_data_size = 0
        self.connections += 1
        for answer in tuple((self._resp_map or {}).values()):
            if not answer.done():
                answer.set_exception(errors.ConnectionClosedError())
        for lost in tuple(self.on_lost):
            lost()
        await super()._attempt_reconnect()

    async def _process_err(self, err_msg: str) -> None:
        """Reconnect where nats-py would close for good; a refused subject is only reported."""
        if "permissions violation" in err_msg.lower():
            await super()._process_err(err_msg)
        else:
            log.warning("NATS ended the connection: %s", err_msg)
            await self._process_op_err(errors.Error(err_msg))


async def connect(
    url: str, user: str, password: str, name: str, *, patience: float | None = None
) -> Client:
    """A connection as `user`, shown by the server as `name`.

    Waits for a server that is not there yet: for ever, or `patience` seconds (`TimeoutError`).
    Once made, it is made anew as often as it is lost.
    """
    client = Client()
    opening = client.connect(
        url,
        user=user,
        password=password,
        name=name,
        inbox_prefix=f"_INBOX.{user}",
        max_reconnect_attempts=-1,
        reconnect_time_wait=RECONNECT_SECONDS,
        connect_timeout=CONNECT_SECONDS,
        ping_interval=PING_SECONDS,
        max_outstanding_pings=2,
        pending_size=PENDING_BYTES,
        error_cb=_report,
    )
    try:
        async with asyncio.timeout(patience):
            await opening
    except BaseException:
        await client.close()
        raise
    return client


async def _report(error: Exception) -> None:
    log.warning("NATS: %s", error or type(error).__name__)
