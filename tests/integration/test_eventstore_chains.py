"""A command decided on another's events is lost with it, even where the versions would fit."""

from dataclasses import replace

from toy_boxes import (
    AlreadyLoaded,
    Boxes,
    LoadBox,
    RegisterBox,
    UnloadBox,
    append,
    new_event,
    request,
)

from shared.contracts.base import decode
from shared.eventstore import Appended, CommandHandler, Conflict, EventStore, Write


def one(stream: str, expected: int) -> Write:
    return Write(stream, expected, (new_event(),))


async def test_what_follows_a_lost_append_is_lost_although_its_version_is_there(
    store: EventStore,
) -> None:
    await store.append(append(one("a", 0)))
    first = append(one("a", 0))
    second = replace(append(one("a", 1)), follows=(first.command_id,))
    third = replace(append(one("b", 0)), follows=(second.command_id,))
    other = append(one("a", 1))
    verdicts = await store.append_many([first, second, third, other])
    assert [type(verdict) for verdict in verdicts] == [Conflict, Conflict, Conflict, Appended]
    assert [e.stream for e in await store.read_all(0, 10)] == ["a", "a"]


async def test_a_chain_that_holds_is_appended_whole(store: EventStore) -> None:
    first = append(one("a", 0))
    second = replace(append(one("a", 1)), follows=(first.command_id,))
    verdicts = await store.append_many([first, second])
    assert [verdict.last for verdict in verdicts] == [1, 2]


async def test_what_follows_is_lost_in_a_later_batch_too(store: EventStore) -> None:
    await store.append(append(one("a", 0)))
    many = tuple(new_event() for _ in range(4_000))
    first = append(Write("a", 0, many))
    second = replace(append(Write("a", 1, many)), follows=(first.command_id,))
    verdicts = await store.append_many([first, second])
    assert [type(verdict) for verdict in verdicts] == [Conflict, Conflict]


async def test_commands_of_one_round_do_not_stand_on_events_that_were_lost(
    store: EventStore,
) -> None:
    """Another process loads the box, which this one believes to be free."""
    mine, other = CommandHandler(store, Boxes()), CommandHandler(store, Boxes())
    await mine.handle(request(RegisterBox(box="1")))
    await other.handle(request(LoadBox(box="1", consignment="THEIRS")))
    loaded, unloaded = await mine.handle_many(
        [request(LoadBox(box="1", consignment="MINE")), request(UnloadBox(box="1"))]
    )
    assert isinstance(loaded, AlreadyLoaded)
    assert isinstance(unloaded, Appended)
    last = (await store.read_stream("unit-1"))[-1]
    assert decode(last.type, last.data).consignment == "THEIRS"
