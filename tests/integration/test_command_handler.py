"""Commands: decided on cached states, appended, decided again where another was faster."""

import asyncio
import random
from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from toy_boxes import (
    NOW,
    AlreadyLoaded,
    Box,
    Boxes,
    BreakBox,
    InspectBox,
    LoadBox,
    NotThere,
    RegisterBox,
    SealBroken,
    UnloadBox,
    append,
    new_event,
    registered,
    request,
)

from shared.contracts.custody import UnitLoaded
from shared.errors import Forbidden, Invalid, Refused
from shared.eventstore import (
    Appended,
    Command,
    CommandHandler,
    CommandReused,
    Conflict,
    EventStore,
    Upcasters,
    Write,
)
from shared.eventstore.cache import StateCache


@pytest.fixture
def handler(store: EventStore) -> CommandHandler:
    return CommandHandler(store, Boxes())


async def test_an_accepted_command_is_stored_with_who_when_and_where(
    store: EventStore, handler: CommandHandler
) -> None:
    command = request(RegisterBox(box="1", occurred_at=NOW - timedelta(hours=1)))
    done = await handler.handle(command)

    [recorded] = await store.read_stream("unit-1")
    assert (done.first, done.last, done.replayed) == (1, 1, False)
    assert recorded.data == registered("1").encode()
    assert recorded.metadata.occurred_at == NOW - timedelta(hours=1)
    assert recorded.metadata.correlation_id == command.command_id
    assert (recorded.metadata.actor, recorded.metadata.regions) == ("person-1", ("31.71.04",))


async def test_a_refused_command_stores_nothing_and_may_be_accepted_later(
    store: EventStore, handler: CommandHandler
) -> None:
    loading = request(LoadBox(box="1", consignment="c"))
    with pytest.raises(NotThere):
        await handler.handle(loading)
    assert await store.position() == 0
    await handler.handle(request(RegisterBox(box="1")))
    assert not (await handler.handle(loading)).replayed


async def test_a_repeated_command_gets_its_first_answer_and_is_not_decided_again(
    store: EventStore, handler: CommandHandler
) -> None:
    command = request(RegisterBox(box="1"))
    first = await handler.handle(command)
    again = await handler.handle(command)
    elsewhere = await CommandHandler(store, Boxes()).handle(command)
    assert (again.first, again.last, again.result) == (first.first, first.last, first.result)
    assert again.replayed
    assert elsewhere == again
    assert await store.position() == 1


async def test_a_repeat_that_meets_its_own_effect_gets_its_first_answer(
    store: EventStore, handler: CommandHandler, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It asked whether it is known before the first was appended, and for states after that."""
    command, other = request(RegisterBox(box="1")), CommandHandler(store, Boxes())
    asked = store.commands

    async def while_the_first_is_appended(command_ids: Collection[UUID]) -> dict:
        known = await asked(command_ids)
        monkeypatch.setattr(store, "commands", asked)
        await other.handle(command)
        return known

    monkeypatch.setattr(store, "commands", while_the_first_is_appended)
    again = await handler.handle(command)
    assert (again.last, again.replayed) == (1, True)


async def test_a_command_id_with_another_content_is_refused(handler: CommandHandler) -> None:
    command_id = uuid4()
    await handler.handle(request(RegisterBox(box="1"), command_id))
    with pytest.raises(CommandReused):
        await handler.handle(request(RegisterBox(box="2"), command_id))


async def test_a_command_id_twice_in_one_call_takes_effect_once(handler: CommandHandler) -> None:
    command, other = request(RegisterBox(box="1")), request(RegisterBox(box="2"))
    reused = request(RegisterBox(box="3"), command.command_id)
    first, second, third, fourth = await handler.handle_many([command, command, reused, other])
    assert isinstance(first, Appended)
    assert (second.last, second.replayed) == (first.last, True)
    assert isinstance(third, CommandReused)
    assert isinstance(fourth, Appended)


async def test_commands_of_one_call_build_on_each_other(
    store: EventStore, handler: CommandHandler
) -> None:
    answers = await handler.handle_many(
        [
            request(RegisterBox(box="1")),
            request(LoadBox(box="1", consignment="c")),
            request(LoadBox(box="1", consignment="d")),
            request(UnloadBox(box="1")),
            request(LoadBox(box="1", consignment="d")),
        ]
    )
    assert [type(answer) for answer in answers] == [
        Appended,
        Appended,
        AlreadyLoaded,
        Appended,
        Appended,
    ]
    assert [e.version for e in await store.read_stream("unit-1")] == [1, 2, 3, 4]


async def test_a_refused_command_is_not_overtaken_by_those_behind_it(
    store: EventStore, handler: CommandHandler
) -> None:
    """The state that it is refused on may be old, so that it is decided again."""
    await handler.handle(request(UnloadBox(box="1")))
    answers = await handler.handle_many(
        [
            request(LoadBox(box="1", consignment="c")),
            request(RegisterBox(box="1")),
            request(LoadBox(box="1", consignment="d")),
            request(LoadBox(box="2", consignment="d")),
            request(RegisterBox(box="2")),
            request(RegisterBox(box="3")),
        ]
    )
    expected = [NotThere, Appended, Appended, NotThere, Appended, Appended]
    assert [type(answer) for answer in answers] == expected
    assert answers[5].last < answers[1].last


async def test_a_stream_that_cannot_be_read_fails_only_who_decides_on_it(
    store: EventStore, handler: CommandHandler
) -> None:
    """A newer process has written to it what this one does not know."""
    event = new_event()
    unknown = replace(event, type="custody.unit-beamed-up.v1")
    await store.append(append(Write("unit-1", 0, (unknown,))))
    commands = [UnloadBox(box="1"), RegisterBox(box="2"), LoadBox(box="2", consignment="c")]
    answers = await asyncio.gather(
        *(handler.handle(request(command)) for command in commands), return_exceptions=True
    )
    assert isinstance(answers[0], Exception) and not isinstance(answers[0], Refused)
    assert [type(answer) for answer in answers[1:]] == [Appended, Appended]


async def test_a_defect_in_one_rule_fails_only_its_command(handler: CommandHandler) -> None:
    good, broken = await handler.handle_many(
        [request(RegisterBox(box="1")), request(BreakBox(box="2"))]
    )
    assert isinstance(good, Appended)
    assert isinstance(broken, ZeroDivisionError)


async def test_a_command_without_effect_is_accepted_and_remembered(
    store: EventStore, handler: CommandHandler
) -> None:
    await handler.handle(request(RegisterBox(box="1")))
    nothing = request(UnloadBox(box="1"))
    done = await handler.handle(nothing)
    assert (done.first, done.last) == (0, 1)
    assert (await handler.handle(nothing)).replayed


async def test_a_stale_cache_is_noticed_when_the_command_is_accepted(
    store: EventStore, handler: CommandHandler
) -> None:
    other = CommandHandler(store, Boxes())
    await handler.handle(request(RegisterBox(box="1")))
    await other.handle(request(LoadBox(box="1", consignment="c")))
    with pytest.raises(AlreadyLoaded):
        await handler.handle(request(LoadBox(box="1", consignment="d")))


async def test_a_stale_cache_is_noticed_when_the_command_is_refused(
    store: EventStore, handler: CommandHandler
) -> None:
    other = CommandHandler(store, Boxes())
    await handler.handle(request(RegisterBox(box="1")))
    await handler.handle(request(LoadBox(box="1", consignment="c")))
    await other.handle(request(UnloadBox(box="1")))
    assert (await handler.handle(request(LoadBox(box="1", consignment="d")))).last == 4


async def test_a_stream_that_was_only_read_must_not_have_moved(
    store: EventStore, handler: CommandHandler
) -> None:
    await handler.handle(request(RegisterBox(box="1")))
    await handler.handle(request(LoadBox(box="1", consignment="c")))
    await handler.handle(request(UnloadBox(box="1")))
    await store.append(append(Write("consignment-c", 0, (new_event(),))))
    decider: Boxes = handler._decider  # type: ignore[assignment]
    before = decider.decided
    await handler.handle(request(LoadBox(box="1", consignment="c")))
    assert decider.decided == before + 2


async def test_a_refusal_puts_its_records_on_the_log_and_is_given_again_the_same(
    store: EventStore, handler: CommandHandler
) -> None:
    inspection = request(InspectBox(box="1"))
    with pytest.raises(SealBroken) as first:
        await handler.handle(inspection)
    with pytest.raises(Refused) as again:
        await handler.handle(inspection)
    assert first.value.problem() == again.value.problem()
    assert (again.value.status, again.value.code) == (409, "seal-broken")
    assert again.value.problem()["position"] == 1
    assert [e.type for e in await store.read_all(0, 10)] == ["custody.incident-raised.v1"]


async def test_roles_and_regions_are_asked_before_the_rules(handler: CommandHandler) -> None:
    command = RegisterBox(box="1")
    with pytest.raises(Forbidden):
        await handler.handle(request(command, roles=frozenset({"guest"})))
    with pytest.raises(Forbidden):
        await handler.handle(request(command, jurisdiction=frozenset({"31.72", "31.71.04.1001"})))
    assert handler._decider.decided == 0  # type: ignore[attr-defined]


async def test_a_time_in_the_future_is_refused(handler: CommandHandler) -> None:
    with pytest.raises(Invalid):
        await handler.handle(request(RegisterBox(box="1", occurred_at=NOW + timedelta(days=2))))


async def test_of_many_commands_for_one_box_exactly_one_wins(
    store: EventStore, handler: CommandHandler
) -> None:
    handlers = [handler, CommandHandler(store, Boxes())]
    await handler.handle(request(RegisterBox(box="1")))
    answers = await asyncio.gather(
        *(
            handlers[n % 2].handle(request(LoadBox(box="1", consignment=f"c{n}")))
            for n in range(200)
        ),
        return_exceptions=True,
    )
    assert sum(isinstance(answer, Appended) for answer in answers) == 1
    assert all(isinstance(answer, Appended | AlreadyLoaded | Conflict) for answer in answers)
    assert len(await store.read_stream("unit-1")) == 2


async def test_a_contended_stream_is_served_in_turn_without_conflicts(
    store: EventStore, handler: CommandHandler
) -> None:
    await handler.handle(request(RegisterBox(box="1")))

    async def load_and_unload(caller: int) -> None:
        for _ in range(5):
            with pytest.raises(AlreadyLoaded):
                while True:
                    await handler.handle(request(LoadBox(box="1", consignment=f"c{caller}")))
            await handler.handle(request(UnloadBox(box="1")))

    await asyncio.gather(*map(load_and_unload, range(20)))
    assert not handler._lane._hot
    events = await store.read_stream("unit-1")
    assert [e.version for e in events] == list(range(1, len(events) + 1))


@pytest.mark.parametrize("seed", range(5))
async def test_a_small_cache_forgets_but_decides_the_same(store: EventStore, seed: int) -> None:
    """Two handlers do the same with boxes of their own; one has room for hardly any state."""
    chosen = random.Random(seed)
    small, large = StateCache(2_000), StateCache()
    handlers = {
        "small": CommandHandler(store, Boxes(), small),
        "large": CommandHandler(store, Boxes(), large),
    }
    for _ in range(40):
        acts = [(chosen.randrange(4), box) for box in chosen.sample(range(30), 8)]
        answers = [
            await handler.handle_many(
                [request(box_command(act, f"{own}.{box}")) for act, box in acts]
            )
            for own, handler in handlers.items()
        ]
        ours, theirs = ([type(answer) for answer in each] for each in answers)
        assert ours == theirs
    assert len(small) < 10 < len(large)


def box_command(act: int, box: str) -> Command:
    match act:
        case 0:
            return RegisterBox(box=box)
        case 1:
            return LoadBox(box=box, consignment=f"of.{box}")
        case 2:
            return UnloadBox(box=box)
    return InspectBox(box=box)


async def test_old_events_are_read_through_their_upcasters(store: EventStore) -> None:
    upcasters = Upcasters()
    upcasters.register(
        "custody.unit-put-on.v1",
        lambda old: (UnitLoaded.type, {"consignment": old.pop("truck"), **old}),
    )
    old = b'{"region":"31.71.04","truck":"c","unit":"1"}'
    event = new_event()
    put_on = type(event)(event.id, "custody.unit-put-on.v1", old, event.region, event.regions)
    await store.append(append(Write("unit-1", 0, (new_event(), put_on))))
    handler = CommandHandler(store, Boxes(), upcasters=upcasters)
    with pytest.raises(AlreadyLoaded):
        await handler.handle(request(LoadBox(box="1", consignment="d")))
    assert (await store.read_stream("unit-1"))[1].data == old


class BoxSnapshots:
    schema = "1"
    every = 3

    def __init__(self) -> None:
        self.loaded: list[str] = []

    def covers(self, stream: str) -> bool:
        return stream.startswith("unit-")

    def dump(self, state: Box) -> bytes:
        return (state.consignment or "").encode()

    def load(self, stream: str, data: bytes) -> Box:
        self.loaded.append(stream)
        return Box(True, data.decode() or None)


async def test_a_long_stream_is_read_from_its_snapshot_on(store: EventStore) -> None:
    handler = CommandHandler(store, Boxes(), snapshots=BoxSnapshots())
    await handler.handle(request(RegisterBox(box="1")))
    for n in range(4):
        await handler.handle(request(LoadBox(box="1", consignment=f"c{n}")))
        await handler.handle(request(UnloadBox(box="1")))
    await handler.handle(request(LoadBox(box="1", consignment="last")))
    await asyncio.gather(*handler._states._snapshots._tasks)
    assert (await store.read_snapshots(["unit-1"]))["unit-1"].version == 9

    kept = BoxSnapshots()
    with pytest.raises(AlreadyLoaded) as refusal:
        await CommandHandler(store, Boxes(), snapshots=kept).handle(
            request(LoadBox(box="1", consignment="d"))
        )
    assert refusal.value.extra == {"consignment": "last"}
    assert kept.loaded == ["unit-1"]

    kept.schema = "2"
    await CommandHandler(store, Boxes(), snapshots=kept).handle(request(UnloadBox(box="1")))
    assert kept.loaded == ["unit-1"]
