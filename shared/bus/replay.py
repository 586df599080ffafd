"""Any range of a service's log from its owner: for rebuilds and what the stream no longer has.

A page holds the messages as the stream would carry them, header lines and exact bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
import orjson
from pydantic import BaseModel, ConfigDict, Field

from shared.bus import cloudevents, subjects
from shared.bus.connection import Client
from shared.bus.message import Logged, Message
from shared.bus.requests import Broker, ask
from shared.contracts.base import SAFE_INTEGER

PAGE_EVENTS = 1_000
PAGE_BYTES = 768 * 1024
"""Below the default payload limit of 1 MiB; a single larger event still makes a page."""


class Range(BaseModel):
    """Up to `limit` events behind position `after`; an answer may hold fewer, never none if any."""

    model_config = ConfigDict(extra="forbid")

    after: int = Field(0, ge=0, le=SAFE_INTEGER)
    limit: int = Field(PAGE_EVENTS, ge=1)


class End(BaseModel):
    """Where a log ends, and which log it is."""

    model_config = ConfigDict(frozen=True)

    position: int
    log_id: UUID


class Item(msgspec.Struct):
    """A message of a page: `headers` are the NATS header lines, `data` the event itself."""

    position: int
    subject: str
    headers: str
    data: msgspec.Raw


class Page(msgspec.Struct):
    events: list[Item]


def answer_replays(broker: Broker, store: Any, service: str, cell: str) -> None:
    """Serve `kawal.replay.<service>` and `kawal.position.<service>` from the owner's store."""
    pages = Pages(store, service, cell)

    @broker.subscriber(
        subjects.replay(service),
        queue=f"{service}-replay",
        title=f"{service}.replay",
        description="A page of the log: the messages behind a position, as the stream has them",
    )
    async def replay(asked: Range) -> bytes:
        return await pages.page(asked.after, asked.limit)

    @broker.subscriber(
        subjects.position(service),
        queue=f"{service}-position",
        title=f"{service}.position",
        description="Where the log ends, and which log it is",
    )
    async def position(_: dict[str, Any]) -> bytes:
        log_id = str(await store.log_id())
        return orjson.dumps({"position": await store.position(), "log_id": log_id})


@dataclass(frozen=True)
class Pages:
    """Pages of a log that fit into a message."""

    store: Any
    service: str
    cell: str

    async def page(self, after: int, limit: int) -> bytes:
        log_id = await self.store.log_id()
        events = await self.store.read_all(after, min(limit, PAGE_EVENTS))
        items, size = [], 0
        for event in events:
            size += len(event.data) + 700
            if items and size > PAGE_BYTES:
                break
            items.append(self._item(event, log_id))
        return orjson.dumps({"events": items})

    def _item(self, event: cloudevents.Stored, log_id: UUID) -> dict[str, Any]:
        source = cloudevents.source(self.service, self.cell)
        return {
            "position": event.position,
            "subject": subjects.subject_of(event.type, cloudevents.region_of(event.meta)),
            "headers": cloudevents.encode(event, log_id, source).decode(),
            "data": orjson.Fragment(event.data),
        }


class Replay:
    """Asks the owners."""

    def __init__(self, nats: Client, timeout: float = 10) -> None:
        self._nats = nats
        self._timeout = timeout
        self._pages = msgspec.json.Decoder(Page)

    async def read(self, service: str, after: int, limit: int = PAGE_EVENTS) -> list[Message]:
        """Messages behind `after`, at most `limit`; empty only at the end of the log."""
        asked = {"after": after, "limit": limit}
        answer = await ask(self._nats, subjects.replay(service), asked, timeout=self._timeout)
        return [
            Message(item.position, item.subject, bytes(item.data), item.headers.encode())
            for item in self._pages.decode(answer).events
        ]

    async def position(self, service: str) -> End:
        answer = await ask(self._nats, subjects.position(service), {}, timeout=self._timeout)
        return End.model_validate_json(answer)


class Nearest:
    """Reads the service's own log from its store, and asks the other owners for theirs."""

    def __init__(self, store: Any, service: str, cell: str, others: Replay) -> None:
        self._store = store
        self._service = service
        self._source = cloudevents.source(service, cell)
        self._others = others

    async def read(self, service: str, after: int, limit: int = PAGE_EVENTS) -> Sequence[Message]:
        """As `Replay.read`."""
        if service != self._service:
            return await self._others.read(service, after, limit)
        log_id = await self._store.log_id()
        events = await self._store.read_all(after, limit)
        return [Logged(event, log_id, self._source) for event in events]

    async def position(self, service: str) -> End:
        if service != self._service:
            return await self._others.position(service)
        log_id = await self._store.log_id()
        return End(position=await self._store.position(), log_id=log_id)
