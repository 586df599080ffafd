"""The relay copies a service's log onto its stream: JetStream sequence = store position.

It works in terms. A term starts by comparing the stream with the store and ends with any error:
the connection is dropped, and the next term reads from the stream where to go on. The stream's last
sequence is the only checkpoint; every publish expects it, so that a second relay, or one that was
thought dead, can only be refused or repeat what is right.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Protocol
from uuid import UUID

from shared.bus import cloudevents, metrics, subjects
from shared.bus.cancellation import heed
from shared.bus.connection import Client
from shared.bus.epoch import Epochs, Stream
from shared.bus.lead import Alone
from shared.bus.publisher import ATOMIC_MOST, Outgoing, Publisher
from shared.bus.streams import Window
from shared.bus.tracing import relayed
from shared.bus.wake import Alarm

log = logging.getLogger(__name__)

POLL_SECONDS = 1.0
CHECK_SECONDS = 5.0
PAUSE_SECONDS = 0.2
RUN_BYTES = 4 * 1024 * 1024


class Log(Protocol):
    """What the relay needs of an event store."""

    on_append: list

    async def read_all(self, after: int, limit: int) -> Sequence[cloudevents.Stored]: ...
    async def position(self) -> int: ...
    async def log_id(self) -> UUID: ...
    async def renew_log_id(self) -> UUID: ...


class TermEnded(Exception):
    """What the relay believed of the stream or the store is no longer so."""


class Relay:
    """Publishes `store`'s events on the stream of `service` in `cell`, for as long as it runs.

    `nats` is a connection of its own: the relay drops it when in doubt. `lead` decides whose turn
    it is among several relays of a service (`shared.bus.lead`).
    """

    def __init__(
        self,
        store: Log,
        nats: Client,
        service: str,
        cell: str,
        *,
        window: Window | None = None,
        lead: Alone | None = None,
    ) -> None:
        self._store = store
        self._nats = nats
        self._service = service
        self._source = cloudevents.source(service, cell)
        self._epochs = Epochs(store, nats.jetstream(), service, cell, window or Window())
        self._lead = lead or Alone()
        self._alarm = Alarm()
        self.published = 0

    @property
    def lag(self) -> int:
        """Positions known to be in the store and not yet on the stream."""
        return max(0, self._alarm.known - self.published)

    async def run(self) -> None:
        """Relay until cancelled."""
        async with self._woken():
            while True:
                heed()
                try:
                    async with self._lead.held() as lost:
                        await self._lead_terms(lost)
                except Exception as error:
                    log.warning("relay %s: no turn: %s", self._service, _said(error))
                await asyncio.sleep(PAUSE_SECONDS)

    async def _lead_terms(self, lost: asyncio.Event) -> None:
        while not lost.is_set():
            heed()
            try:
                await self._term(lost)
            except Exception as error:
                metrics.TERMS.labels(self._service).inc()
                log.warning("relay %s: term ended: %s", self._service, _said(error))
                await self._nats.drop()
            await asyncio.sleep(PAUSE_SECONDS)

    async def _term(self, lost: asyncio.Event) -> None:
        await self._nats.connected()
        connection = self._nats.connections
        publisher = Publisher(self._nats)
        await publisher.open()
        try:
            stream = await self._epochs.begin()
            self._moved(stream.last)
            while not lost.is_set() and connection == self._nats.connections:
                heed()
                if not await self._drain(publisher, stream):
                    await self._rest(stream)
        finally:
            await publisher.close()

    async def _drain(self, publisher: Publisher, stream: Stream) -> bool:
        """Publish all there is; whether there was anything. The next run is read meanwhile."""
        run = await self._read(self.published, stream)
        published = bool(run)
        while run:
            heed()
            ahead = asyncio.ensure_future(self._read(run[-1].position, stream))
            try:
                await publisher.publish(run)
                self._moved(run[-1].position)
                run = await ahead
            finally:
                ahead.cancel()
        return published

    async def _read(self, after: int, stream: Stream) -> list[Outgoing]:
        events = await self._store.read_all(after, ATOMIC_MOST)
        if events:
            self._alarm.known = max(self._alarm.known, events[-1].position)
            if events[0].position != after + 1:
                raise TermEnded(f"the store has no position {after + 1}")
        with relayed(self._service, events):
            return self._outgoing(events, stream.log_id)

    def _outgoing(self, events: Sequence[cloudevents.Stored], log_id: UUID) -> list[Outgoing]:
        run, size = [], 0
        for event in events:
            out = Outgoing(
                event.position,
                subjects.subject_of(event.type, cloudevents.region_of(event.meta)),
                cloudevents.encode(event, log_id, self._source),
                event.data,
            )
            size += len(out.data) + len(out.block)
            if run and size > RUN_BYTES:
                break
            run.append(out)
        return run

    async def _rest(self, stream: Stream) -> None:
        """Sleep until there may be more; now and then see that the stream is still the same."""
        if not await self._alarm.sleep(POLL_SECONDS) and stream.due(CHECK_SECONDS):
            await self._epochs.confirm(stream, self.published)

    def _moved(self, position: int) -> None:
        self.published = position
        metrics.LAG.labels(self._service).set(self.lag)
        metrics.POSITION.labels(self._service).set(position)

    @asynccontextmanager
    async def _woken(self) -> AsyncIterator[None]:
        self._store.on_append.append(self._alarm.appended)
        self._nats.on_lost.append(self._alarm.ring)
        hints = await self._nats.tap(subjects.wake(self._service), self._alarm.hinted)
        try:
            yield
        finally:
            self._store.on_append.remove(self._alarm.appended)
            self._nats.on_lost.remove(self._alarm.ring)
            await self._nats.untap(hints)


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".rstrip(": ")
