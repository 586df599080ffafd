"""The small parts of the projection engine, each by itself."""

import asyncio
from contextlib import suppress
from uuid import UUID

import asyncpg
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from shared.errors import Refused
from shared.eventstore import Appended, CommandReused, Conflict
from shared.projection import Policy, tracing
from shared.projection import inbox as inbox_module
from shared.projection.errors import heals
from shared.projection.inbox import Inbox
from shared.projection.intents import FAILURES, REFUSALS, judge
from shared.projection.patience import patiently
from shared.projection.progress import Milestones
from shared.testing.projections import MemoryBus, MemoryLog


def messages(number: int, **act: object) -> list:
    log = MemoryLog("custody")
    return [log.add("custody.toy-counted.v1", "toy-1", {"value": 1}, **act) for _ in range(number)]


async def test_an_inbox_gives_batches_in_order_cut_to_the_size_asked_for():
    inbox = Inbox()
    inbox.open = True
    sent = messages(10)
    await inbox.put(sent[:7])
    await inbox.put(sent[7:])
    assert [m.position for m in await inbox.take(4, 0)] == [1, 2, 3, 4]
    assert [m.position for m in await inbox.take(100, 0)] == [5, 6, 7, 8, 9, 10]
    assert await inbox.take(1, 0) == []


async def test_a_full_inbox_holds_the_reader_back_until_there_is_room():
    inbox = Inbox(capacity=5)
    inbox.open = True
    await inbox.put(messages(5))
    second = asyncio.create_task(inbox.put(messages(2)))
    await asyncio.sleep(0.01)
    assert not second.done()
    await inbox.take(5, 0)
    await second
    assert len(await inbox.take(5, 0)) == 2


async def test_large_messages_fill_an_inbox_before_many_do(monkeypatch: pytest.MonkeyPatch):
    two = messages(2)
    monkeypatch.setattr(inbox_module, "CAPACITY_BYTES", inbox_module._bytes(two))
    inbox = Inbox()
    inbox.open = True
    await inbox.put(two)
    second = asyncio.create_task(inbox.put(messages(1)))
    await asyncio.sleep(0.01)
    assert not second.done()
    assert len(await inbox.take(1, 0)) == 1
    await second
    assert len(await inbox.take(5, 0)) == 2


async def test_an_inbox_that_is_not_drained_loses_batches_until_it_is():
    inbox = Inbox(capacity=5, patience=0.01)
    inbox.open = True
    for _ in range(3):
        await inbox.put(messages(5))
    assert len(await inbox.take(100, 0)) == 5
    assert await inbox.take(100, 0) == []
    await inbox.put(messages(2))
    assert len(await inbox.take(100, 0)) == 2


async def test_a_milestone_wakes_those_whose_position_is_reached():
    milestones = Milestones()
    near, far = (asyncio.create_task(milestones.wait(at)) for at in (5, 50))
    await asyncio.sleep(0)
    milestones.reach(10)
    await near
    assert not far.done()
    milestones.reach(0)
    again = asyncio.create_task(milestones.wait(5))
    await asyncio.sleep(0)
    assert not again.done()
    milestones.reach(50)
    await asyncio.gather(far, again)


async def test_a_swallowed_cancellation_ends_the_patience_all_the_same():
    async def swallow() -> None:
        with suppress(asyncio.CancelledError):  # as wait_for does together with a result
            await asyncio.sleep(60)

    task = asyncio.create_task(patiently(swallow, "it"))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_who_gives_up_waiting_is_forgotten():
    milestones = Milestones()
    kept = asyncio.create_task(milestones.wait(5))
    for position in (3, 10**15):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await milestones.wait(position)
    assert len(milestones._waiting) == 1
    milestones.reach(5)
    await kept
    assert not milestones._waiting


class SomePolicy(Policy):
    name = "some"


class AnotherPolicy(Policy):
    name = "another"


def test_a_command_id_depends_on_policy_event_and_suffix_only():
    event = UUID(int=1)
    assert SomePolicy.command_id(event) == SomePolicy.command_id(event)
    ids = {SomePolicy.command_id(event), AnotherPolicy.command_id(event)}
    ids |= {SomePolicy.command_id(event, "a"), SomePolicy.command_id(UUID(int=2))}
    assert len(ids) == 4


def intent(attempts: int = 0, *, retry: bool = False) -> dict[str, object]:
    return {"attempts": attempts, "retry": retry}


@pytest.mark.parametrize(
    ("row", "result", "state"),
    [
        (intent(), Appended(3, 4, b"{}", replayed=False), "done"),
        (intent(), Refused("no"), "refused"),
        (intent(retry=True), Refused("not yet"), "pending"),
        (intent(REFUSALS - 1, retry=True), Refused("never"), "refused"),
        (intent(), CommandReused(UUID(int=1)), "failed"),
        (intent(100), Conflict("unit-1", 1, 2), "pending"),
        (intent(), ValueError("a defect"), "pending"),
        (intent(FAILURES - 1), ValueError("a defect"), "failed"),
        (intent(100), ConnectionResetError(), "pending"),
    ],
)
def test_the_answer_to_a_command_decides_what_becomes_of_its_intent(row, result, state):
    assert judge(row, result).state == state


@pytest.mark.parametrize(
    ("error", "healing"),
    [
        (asyncpg.DeadlockDetectedError("x"), True),
        (asyncpg.AdminShutdownError("x"), True),
        (asyncpg.TooManyConnectionsError("x"), True),
        (asyncpg.ReadOnlySQLTransactionError("x"), True),
        (TimeoutError(), True),
        (ConnectionResetError(), True),
        (asyncpg.UniqueViolationError("x"), False),
        (asyncpg.DataError("x"), False),
        (asyncpg.UndefinedTableError("x"), False),
        (KeyError("x"), False),
    ],
)
def test_what_waiting_heals_is_told_from_what_an_event_causes(error, healing):
    assert heals(error) is healing


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(tracing, "_tracer", provider.get_tracer("test"))
    monkeypatch.setattr(tracing.trace, "get_tracer_provider", lambda: provider)
    return exporter


def test_a_batch_links_to_at_most_twenty_traces_each_once(spans: InMemorySpanExporter):
    batch = [
        message
        for number in range(1, 31)
        for message in messages(2, traceparent=f"00-{number:032x}-{number:016x}-01")
    ]
    with tracing.batch("projection", "tally", "custody", batch):
        pass
    [span] = spans.get_finished_spans()
    assert span.name == "projection tally"
    assert [link.context.trace_id for link in span.links] == list(range(1, 21))


def test_a_policys_command_continues_the_trace_of_its_event(spans: InMemorySpanExporter):
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    span = tracing.command("some", "register-box", parent)
    child = tracing.traceparent(span, parent)
    span.end()
    assert child.split("-")[1] == parent.split("-")[1]
    assert child.split("-")[2] != parent.split("-")[2]


async def test_the_bus_in_memory_begins_where_its_window_does():
    bus = MemoryBus()
    for _ in range(10):
        bus.log("custody").add("custody.toy-counted.v1", "toy-1", {"value": 1})
    bus.log("custody").window = 6
    batch = await anext(bus.open_feed("custody", 0))
    assert [m.position for m in batch] == [6, 7, 8, 9, 10]
    assert [m.position for m in await bus.read("custody", 0, 3)] == [1, 2, 3]
