"""Others' facts become our commands, each once, whatever is repeated, refilled or restored."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

import asyncpg
import orjson
import pytest
from tally import running, service_pool
from toy_boxes import Boxes, BreakBox, InspectBox, LoadBox, RegisterBox, request

from shared.bus.message import Message
from shared.eventstore import Command, CommandHandler, Context, EventStore
from shared.eventstore import migrate as migrate_store
from shared.projection import Intent, Policy, Worker, queries
from shared.projection.intents import store_intents
from shared.testing.projections import MemoryBus
from shared.testing.provision import Database

PACKED = "inventory.toy-packed.v1"
SENT = "inventory.toy-sent.v1"


class RegisterPacked(Policy):
    """A packed box is registered; one that is sent is loaded, as soon as it is registered."""

    name = "register-packed"
    sources = ("inventory",)
    handles = frozenset({PACKED, SENT})
    issues = (RegisterBox, LoadBox, InspectBox, BreakBox)

    async def react(self, connection: asyncpg.Connection, message: Message) -> Sequence[Intent]:
        content = orjson.loads(message.data)
        box = content["box"]
        if "boom" in content:
            raise ValueError("not understood")
        if message.type == SENT:
            return [Intent(LoadBox(box=box, consignment="C-1"), retry=content["retry"])]
        if "again" in content:
            return [Intent(RegisterBox(box=box), "first"), Intent(RegisterBox(box=box), "second")]
        return [Intent(BreakBox(box=box) if "broken" in content else RegisterBox(box=box))]


class StartsNow(RegisterPacked):
    name = "starts-now"
    starts = "now"


@pytest.fixture
def bus() -> MemoryBus:
    return MemoryBus()


@pytest.fixture
async def store(database: Database) -> AsyncIterator[EventStore]:
    await migrate_store(database.owner_dsn, database.app_role)
    async with await EventStore.open(database.app_dsn, service="custody") as opened:
        yield opened


def pack(bus: MemoryBus, box: str, **content: object) -> int:
    return bus.log("inventory").add(PACKED, f"box-{box}", {"box": box, **content}).position


def send(bus: MemoryBus, box: str, *, retry: bool) -> int:
    log = bus.log("inventory")
    return log.add(SENT, f"consignment-{box}", {"box": box, "retry": retry}).position


async def context(commands: Sequence[Command]) -> Context:
    return request(RegisterBox(box="any")).context


def made(
    pool: asyncpg.Pool,
    bus: MemoryBus,
    store: EventStore,
    policy: Policy | None = None,
    handler: CommandHandler | None = None,
) -> Worker:
    policy = policy or RegisterPacked()
    return Worker(
        "custody",
        pool=pool,
        replay=bus,
        open_feed=bus.open_feed,
        policies=[policy],
        handler=handler or CommandHandler(store, Boxes()),
        context=context,
    )


async def states(pool: asyncpg.Pool) -> dict[str, int]:
    rows = await pool.fetch("select state, count(*) as n from projection.intent group by state")
    return {row["state"]: row["n"] for row in rows}


async def test_an_event_becomes_a_command_that_continues_its_story(
    database: Database, bus: MemoryBus, store: EventStore
):
    async with service_pool(database) as pool, running(made(pool, bus, store)) as work:
        trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        event = bus.log("inventory").add(PACKED, "box-1", {"box": "1"}, traceparent=trace)
        await work.wait_for("inventory", event.position, names=["register-packed"])
        [recorded] = await store.read_stream("unit-1")
        assert recorded.command_id == RegisterPacked.command_id(event.id)
        assert recorded.metadata.causation_id == recorded.metadata.correlation_id == event.id
        assert recorded.metadata.traceparent.split("-")[1] == trace.split("-")[1]


async def test_many_events_are_answered_in_order(
    database: Database, bus: MemoryBus, store: EventStore
):
    for at in range(1_200):
        last = pack(bus, str(at))
    async with service_pool(database) as pool, running(made(pool, bus, store)) as work:
        await work.wait_for("inventory", last, timeout=20, names=["register-packed"])
        recorded = await store.read_all(0, 2_000)
        assert [event.stream for event in recorded] == [f"unit-{at}" for at in range(1_200)]


async def test_restarts_at_any_moment_issue_each_command_once(
    database: Database, bus: MemoryBus, store: EventStore
):
    async with service_pool(database) as pool:
        for at in range(400):
            last = pack(bus, str(at))
        for pause in range(12):
            async with running(made(pool, bus, store)):
                await asyncio.sleep(0.02 + 0.01 * pause)
        async with running(made(pool, bus, store)) as work:
            await work.wait_for("inventory", last, timeout=20, names=["register-packed"])
        assert await states(pool) == {"done": 400}
        assert await store.position() == 400


async def test_a_command_carried_out_but_not_noted_is_not_carried_out_again(
    database: Database, bus: MemoryBus, store: EventStore
):
    async with service_pool(database) as pool, running(made(pool, bus, store)) as work:
        await work.wait_for("inventory", pack(bus, "1"), names=["register-packed"])
        await pool.execute("update projection.intent set state = 'pending'")
        await work.wait_for("inventory", pack(bus, "2"), names=["register-packed"])
        assert await states(pool) == {"done": 2}
        assert await store.position() == 2


async def test_a_refilled_bus_and_a_lost_checkpoint_issue_nothing_again(
    database: Database, bus: MemoryBus, store: EventStore
):
    async with service_pool(database) as pool:
        async with running(made(pool, bus, store)) as work:
            for at in range(50):
                last = pack(bus, str(at))
            await work.wait_for("inventory", last, names=["register-packed"])
        await pool.execute("update projection.checkpoint set position = 0")
        async with running(made(pool, bus, store)) as work:
            await work.wait_for("inventory", last, names=["register-packed"])
        assert await states(pool) == {"done": 50}
        assert await store.position() == 50


async def test_a_restored_source_issues_only_what_is_new(
    database: Database, bus: MemoryBus, store: EventStore
):
    async with service_pool(database) as pool, running(made(pool, bus, store)) as work:
        for at in range(50):
            last = pack(bus, str(at))
        await work.wait_for("inventory", last, names=["register-packed"])
        bus.log("inventory").restore(40)
        for at in range(100, 105):
            pack(bus, str(at))
        async with asyncio.timeout(15):
            while await store.position() < 55:
                await asyncio.sleep(0.05)
        await work.wait_for("inventory", 45, names=["register-packed"])
        assert await states(pool) == {"done": 55}


async def test_a_refusal_is_kept_shown_and_not_repeated(
    database: Database, bus: MemoryBus, store: EventStore
):
    async with service_pool(database) as pool, running(made(pool, bus, store)) as work:
        last = pack(bus, "1", again=True)
        await work.wait_for("inventory", last, names=["register-packed"])
        assert await states(pool) == {"done": 1, "refused": 1}
        [trouble] = await work.trouble("register-packed")
        assert trouble["attempts"] == 1
        assert orjson.loads(trouble["outcome"])["code"] == "already-known"
        await asyncio.sleep(0.3)
        assert [item["attempts"] for item in await work.trouble()] == [1]


async def test_what_depends_on_another_fact_is_tried_until_that_has_happened(
    database: Database, bus: MemoryBus, store: EventStore
):
    async with service_pool(database) as pool, running(made(pool, bus, store)) as work:
        sent = send(bus, "1", retry=True)
        hopeless = send(bus, "2", retry=False)
        await asyncio.sleep(0.2)
        await work.wait_for("inventory", pack(bus, "1"), timeout=10, names=["register-packed"])
        assert [e.version for e in await store.read_stream("unit-1")] == [1, 2]
        assert [item["position"] for item in await work.trouble()] == [hopeless]
        assert sent < hopeless


async def test_a_refused_command_can_be_queued_again_by_an_operator(
    database: Database, bus: MemoryBus, store: EventStore
):
    async with service_pool(database) as pool, running(made(pool, bus, store)) as work:
        last = send(bus, "1", retry=False)
        await work.wait_for("inventory", last, names=["register-packed"])
        await work.wait_for("inventory", pack(bus, "1"), names=["register-packed"])
        [trouble] = await work.trouble()
        assert await work.retry_intent(trouble["command_id"])
        assert not await work.retry_intent(UUID(int=0))
        await work.wait_for("inventory", last, names=["register-packed"])
        assert await states(pool) == {"done": 2}


async def test_a_defect_in_one_command_spares_the_others(
    database: Database, bus: MemoryBus, store: EventStore, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("shared.projection.intents.FAILURES", 2)
    async with service_pool(database) as pool, running(made(pool, bus, store)) as work:
        pack(bus, "1", broken=True)
        await work.wait_for("inventory", pack(bus, "2"), timeout=10, names=["register-packed"])
        assert await states(pool) == {"done": 1, "failed": 1}
        [trouble] = await work.trouble()
        assert "ZeroDivisionError" in trouble["outcome"]


async def test_an_event_that_the_policy_cannot_handle_is_parked(
    database: Database, bus: MemoryBus, store: EventStore
):
    async with service_pool(database) as pool, running(made(pool, bus, store)) as work:
        bad = pack(bus, "1", boom=True)
        await work.wait_for("inventory", pack(bus, "2"), names=["register-packed"])
        [parked] = await work.parked()
        assert (parked.name, parked.position) == ("register-packed", bad)
        assert await store.position() == 1


async def test_a_policy_that_starts_now_leaves_the_past_alone_also_in_a_restored_log(
    database: Database, bus: MemoryBus, store: EventStore
):
    for at in range(20):
        pack(bus, str(at))
    async with service_pool(database) as pool:
        async with running(made(pool, bus, store, StartsNow())) as work:
            async with asyncio.timeout(10):
                while work.positions()["starts-now"]["inventory"] < 20:
                    await asyncio.sleep(0.02)
            await work.wait_for("inventory", pack(bus, "new"), names=["starts-now"])
            bus.log("inventory").restore(21)
            pack(bus, "newer")
            async with asyncio.timeout(15):
                while await store.position() < 2:
                    await asyncio.sleep(0.05)
            await work.wait_for("inventory", 22, timeout=10, names=["starts-now"])
        recorded = await store.read_all(0, 100)
        assert [event.stream for event in recorded] == ["unit-new", "unit-newer"]


async def test_an_outage_while_commands_are_due_is_waited_out(
    database: Database, bus: MemoryBus, store: EventStore
):
    handler = CommandHandler(store, Boxes())
    async with service_pool(database) as pool:
        async with running(made(pool, bus, store, handler=handler)) as work:
            async with _broken(handler):
                last = pack(bus, "1")
                await asyncio.sleep(0.5)
            await work.wait_for("inventory", last, timeout=10, names=["register-packed"])
        assert await states(pool) == {"done": 1}


@asynccontextmanager
async def _broken(handler: CommandHandler) -> AsyncIterator[None]:
    async def unreachable(requests: object) -> None:
        raise ConnectionRefusedError("no database")

    handler.handle_many = unreachable
    yield
    del handler.handle_many


class RegisterLate(RegisterPacked):
    name = "register-late"


async def test_the_commands_of_one_policy_do_not_wait_for_all_of_another(
    database: Database, bus: MemoryBus, store: EventStore
) -> None:
    packed = [pack(bus, f"B-{number}") for number in range(3)]
    messages = bus.log("inventory").messages
    policies = (RegisterPacked(), RegisterLate())
    async with service_pool(database) as pool:
        for policy in reversed(policies):  # the second by name decides first
            await store_intents(policy, pool, messages)
        rows = queries.intent.due(pool, policies=[p.name for p in policies], limit=10)
        due = [(row["policy"], row["position"]) async for row in rows]
        assert due == [(p.name, at) for p in reversed(policies) for at in packed]


async def test_a_process_that_carries_nothing_out_sees_what_another_has(
    database: Database, bus: MemoryBus, store: EventStore
) -> None:
    async with service_pool(database) as pool, running(made(pool, bus, store)):
        position = pack(bus, "B-1")
        await made(pool, bus, store).wait_for("inventory", position, 20, ["register-packed"])
        assert await states(pool) == {"done": 1}
