"""Whether a stream still copies its store: compared at the start of each term.

A stream that is behind is filled up. One that is ahead of its store, or unlike it, or that copies a
log of another id, belongs to a past that a restored backup has erased: it is replaced by a new one
that carries the (renewed) log id, so that every reader notices.
"""

import logging
import time
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from nats.js import JetStreamContext, api
from nats.js.errors import NotFoundError

from shared.bus import metrics, streams, subjects
from shared.bus.streams import Window

log = logging.getLogger(__name__)


class StreamChanged(Exception):
    """The stream is not the one, or not where, this relay left it."""


@dataclass(slots=True)
class Stream:
    """The stream of a term: the log it copies and its last sequence when the term began."""

    log_id: UUID
    last: int
    created: Any
    checked: float = field(default_factory=time.monotonic)

    def due(self, seconds: float) -> bool:
        """Whether the last look at the stream is `seconds` ago; if so, this is the next one."""
        now = time.monotonic()
        if now - self.checked < seconds:
            return False
        self.checked = now
        return True


class Epochs:
    """Begins terms: declares the stream, or replaces it when it copies a past that is gone."""

    def __init__(
        self, store: Any, js: JetStreamContext, service: str, cell: str, window: Window
    ) -> None:
        self._store = store
        self._js = js
        self._service = service
        self._cell = cell
        self._window = window

    async def begin(self) -> Stream:
        """The stream, made to copy this store; raises if another relay is changing it too."""
        name = subjects.stream_name(self._service, self._cell)
        info = await streams.find(self._js, name)
        position = await self._store.position()  # after the stream: else it could seem ahead
        wanted = self._config(await self._store.log_id())
        if info is None:
            info = await streams.create(self._js, wanted, self._window.start(position))
        elif reason := await self._divergence(info, position):
            await self._new_epoch(info, reason, position)
            raise StreamChanged("a new epoch begins")
        else:
            await streams.adjust(self._js, info, wanted)
        return Stream(streams.log_id_of(info), info.state.last_seq, info.created)

    async def confirm(self, stream: Stream, published: int) -> None:
        """Raise unless the stream is the one of this term and ends where the relay left it."""
        info = await self._js.stream_info(subjects.stream_name(self._service, self._cell))
        if info.created != stream.created or info.state.last_seq != published:
            raise StreamChanged(f"it ends at {info.state.last_seq} instead of {published}")
        if await self._store.log_id() != stream.log_id:
            raise StreamChanged("the store has another log id")

    async def _divergence(self, info: api.StreamInfo, position: int) -> str:
        """Why the stream is no copy of this store; empty if it is one."""
        copied = streams.log_id_of(info)
        if copied != await self._store.log_id():
            return f"it copies log {copied}"
        last = info.state.last_seq
        if last > position:
            return f"it ends at {last}, the store at {position}"
        if info.state.messages == 0:
            return ""
        return await self._unlike(info.config.name, last)

    async def _unlike(self, name: str, last: int) -> str:
        try:
            found = await self._js.get_msg(name, last)
        except NotFoundError:
            return f"its last message, {last}, cannot be read"
        [event] = await self._store.read_all(last - 1, 1)
        headers = {key.lower(): value for key, value in (found.headers or {}).items()}
        if headers.get("ce-id") == str(event.id) and (found.data or b"") == event.data:
            return ""
        return f"at {last} it has event {headers.get('ce-id')}, the store {event.id}"

    async def _new_epoch(self, info: api.StreamInfo, reason: str, position: int) -> None:
        log_id = await self._store.log_id()
        if streams.log_id_of(info) == log_id:
            log_id = await self._store.renew_log_id()
        log.error(
            "EPOCH: stream %s is no copy of its store: %s. It is replaced by a copy of log %s; "
            "its readers will rebuild",
            info.config.name,
            reason,
            log_id,
        )
        metrics.EPOCHS.labels(self._service).inc()
        await streams.replace(self._js, info, self._config(log_id), self._window.start(position))

    def _config(self, log_id: UUID) -> api.StreamConfig:
        return streams.config(self._service, self._cell, log_id, self._window)
