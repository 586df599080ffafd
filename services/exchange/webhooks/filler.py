"""Fills the queues from the exchange's own log: the log's order, each fact once.

The position goes forward in the transaction that queues, in the log's own database: what is queued
and how far the log was read are restored together with it. What happens to an endpoint is a fact of
the same log, so that what it is sent depends on nothing but the log.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby, product, starmap
from typing import Any, Self
from uuid import UUID

import asyncpg

from services.exchange.carrier.copies import Copy, copies, notice_of
from services.exchange.webhooks.message import webhook_id
from services.exchange.webhooks.queries import SQL
from shared.bus import cloudevents
from shared.contracts.base import decode
from shared.contracts.exchange import (
    EndpointChanged,
    EndpointDisabled,
    EndpointEnabled,
    EndpointRegistered,
    NoticeSent,
)
from shared.eventstore import EventStore, Recorded

PAGE = 500
ENDPOINTS = frozenset(
    fact.type for fact in (EndpointRegistered, EndpointChanged, EndpointDisabled, EndpointEnabled)
)


class Overtaken(Exception):
    """Another reader fills the queue, or the log was restored: look again."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What an endpoint wants of what concerns its agency."""

    endpoint: str
    agency: str
    topics: frozenset[str]
    within: tuple[str, ...]

    @classmethod
    def of(cls, row: Any) -> Self:
        topics, within = frozenset(row["topics"]), tuple(row["within"])
        return cls(row["endpoint"], row["agency"], topics, within)

    def wants(self, topic: str, regions: Iterable[str]) -> bool:
        """A fact of a wider region concerns what lies within it too."""
        return topic in self.topics and (
            not self.within or any(starmap(_overlap, product(regions, self.within)))
        )


def _overlap(a: str, b: str) -> bool:
    return f"{a}.".startswith(f"{b}.") or f"{b}.".startswith(f"{a}.")


@dataclass(frozen=True, slots=True)
class Queued:
    """A copy for one endpoint; `entity` is what its order is kept of."""

    endpoint: str
    entity: str
    copy: Copy


class Filler:
    """Reads on from where the queue stands. Make it with `open`."""

    def __init__(self, store: EventStore, pool: asyncpg.Pool, log_id: UUID, position: int) -> None:
        self._store = store
        self._pool = pool
        self._log_id = log_id
        self._position = position

    @classmethod
    async def open(cls, store: EventStore, pool: asyncpg.Pool) -> Self:
        await SQL.prepare(pool)
        log_id, known = await store.log_id(), await SQL.reader(pool)
        if known is not None and known["log_id"] == log_id:
            return cls(store, pool, log_id, known["position"])
        position = min(known["position"] if known else 0, await store.position())
        await SQL.start_reader(pool, log_id=log_id, position=position)
        return cls(store, pool, log_id, position)

    async def turn(self) -> bool:
        """A page of the log; whether there was anything in it. Raises `Overtaken`."""
        events = await self._store.read_all(self._position, PAGE)
        if await self._store.log_id() != self._log_id:
            raise Overtaken("the log was restored")
        if not events:
            return False
        last = events[-1].position
        async with self._pool.acquire() as connection, connection.transaction():
            at = {"log_id": self._log_id, "starts": self._position, "ends": last}
            if await SQL.advance(connection, **at) is None:
                raise Overtaken("another reader was here")
            for endpoints, run in groupby(events, key=lambda event: event.type in ENDPOINTS):
                if endpoints:
                    for event in run:
                        await _describe(connection, event)
                else:
                    await self._queue(connection, list(run))
        self._position = last
        return True

    async def _queue(self, connection: asyncpg.Connection, events: Sequence[Recorded]) -> None:
        wishes = [Wish.of(row) async for row in SQL.served(connection)]
        if found := await wanted(self._store, wishes, events):
            await SQL.queue(connection, **rows(found))


async def wanted(
    store: EventStore, wishes: Iterable[Wish], events: Sequence[Recorded]
) -> list[Queued]:
    """What of consecutive events of the log the endpoints are sent."""
    found: list[Queued] = []
    for agency, own in groupby(sorted(wishes, key=_agency), key=_agency):
        concerning = await copies(store, agency, events)
        told = [(copy, *_about(copy.event)) for copy in concerning]
        found += [
            Queued(wish.endpoint, entity, copy)
            for wish in own
            for copy, topic, entity in told
            if wish.wants(topic, cloudevents.regions_of(copy.event.meta))
        ]
    return sorted(found, key=lambda queued: queued.copy.place)


def _agency(wish: Wish) -> str:
    return wish.agency


def _about(event: Recorded) -> tuple[str, str]:
    """The topic of a fact, and its entity: a letter, or what a notice is about."""
    if event.type != NoticeSent.type:
        return "letter", event.stream
    notice = notice_of(event.data)
    return notice.topic, f"{notice.topic}-{notice.subject}"


def rows(queued: Sequence[Queued]) -> dict[str, list[Any]]:
    """The columns of the query that queues them."""
    events = [each.copy.event for each in queued]
    return {
        "ids": [webhook_id(each.endpoint, each.copy.event.id) for each in queued],
        "endpoints": [each.endpoint for each in queued],
        "entities": [each.entity for each in queued],
        "positions": [each.copy.position for each in queued],
        "indexes": [each.copy.index for each in queued],
        "events": [event.id for event in events],
        "event_positions": [event.position for event in events],
        "types": [event.type for event in events],
    }


async def _describe(connection: asyncpg.Connection, recorded: Recorded) -> None:
    event: Any = decode(recorded.type, recorded.data)
    match event:
        case EndpointRegistered() | EndpointChanged():
            await SQL.describe(connection, **event.model_dump(mode="json"))
        case EndpointDisabled():
            why = {"reason": event.reason, "position": recorded.position}
            await SQL.disable(connection, endpoint=event.endpoint, **why)
        case EndpointEnabled():
            await SQL.enable(connection, endpoint=event.endpoint)
