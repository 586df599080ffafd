"""A service reads its own log from its store, and sees what the stream would have shown it."""

import pytest
from toy_boxes import append, write

from shared.bus import cloudevents, subjects
from shared.bus.message import Message
from shared.bus.replay import Nearest
from shared.eventstore import EventStore, Recorded
from shared.eventstore import store as module
from shared.testing.projections import MemoryBus

SHOWN = (
    *("position", "type", "subject", "data", "block", "headers", "id", "stream", "version"),
    *("region", "regions", "actor", "agency", "occurred_at", "recorded_at", "correlation_id"),
    *("causation_id", "traceparent", "log_id", "service"),
)


async def test_an_event_of_the_own_store_is_the_message_that_the_stream_carries(
    store: EventStore,
) -> None:
    await store.append(append(write("unit-BOX-1"), write("a b%", count=2)))
    near = Nearest(store, "custody", "31", MemoryBus())
    found = await near.read("custody", 1, 10)
    log_id, recorded = await store.log_id(), await store.read_all(1, 10)
    assert [message.position for message in found] == [2, 3]
    for message, event in zip(found, recorded, strict=True):
        carried = _carried(event, cloudevents.encode(event, log_id, "/kawal/31/custody"))
        assert {name: getattr(message, name) for name in SHOWN} == {
            name: getattr(carried, name) for name in SHOWN
        }
    end = await near.position("custody")
    assert (end.position, end.log_id) == (3, log_id)


async def test_another_service_is_asked(store: EventStore) -> None:
    bus = MemoryBus()
    bus.log("inventory").add("inventory.site-ready.v1", "site-1", {"site": "1"})
    near = Nearest(store, "custody", "31", bus)
    assert await near.read("inventory", 0, 10) == bus.log("inventory").messages
    assert (await near.position("inventory")).position == 1


async def test_a_page_of_the_log_ends_where_its_bodies_grow_large(
    store: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.append(append(write("a", count=10)))
    size = len((await store.read_all(0, 1))[0].data)
    monkeypatch.setattr(module, "PAGE_BYTES", 3 * size)
    assert [e.position for e in await store.read_all(2, 10)] == [3, 4, 5]
    monkeypatch.setattr(module, "PAGE_BYTES", size - 1)
    assert [e.position for e in await store.read_all(2, 10)] == [3]
    assert await store.read_all(10, 10) == []


def _carried(event: Recorded, block: bytes) -> Message:
    subject = subjects.subject_of(event.type, cloudevents.region_of(event.meta))
    return Message(event.position, subject, event.data, block)
