"""Append: expectations, verdicts, idempotency, positions."""

import asyncio
from itertools import pairwise
from random import Random
from uuid import uuid4

import pytest
from toy_boxes import METADATA, append, new_event, write

from shared.eventstore import (
    Append,
    Appended,
    CommandReused,
    Conflict,
    EventStore,
    Expected,
    NewEvent,
    TooLarge,
    Write,
    writer,
)


async def test_events_are_read_back_as_they_were_given(store: EventStore) -> None:
    given = write("unit-1", count=2)
    command_id = uuid4()
    done = await store.append(append(given, command_id=command_id))
    first, second = await store.read_stream("unit-1")
    assert (done.first, done.last, done.replayed) == (1, 2, False)
    assert [(e.position, e.version) for e in (first, second)] == [(1, 1), (2, 2)]
    assert (first.id, first.type, first.data) == (
        given.events[0].id,
        given.events[0].type,
        given.events[0].data,
    )
    assert first.command_id == command_id
    assert first.meta == METADATA.encode("31.71.04", ("31.71.04",))
    assert first.recorded_at.tzinfo is not None


async def test_several_streams_are_written_in_the_order_given_or_not_at_all(
    store: EventStore,
) -> None:
    await store.append(append(write("b")))
    with pytest.raises(Conflict) as lost:
        await store.append(append(write("a"), write("b"), write("c")))
    assert (lost.value.stream, lost.value.expected, lost.value.actual) == ("b", 0, 1)
    assert await store.position() == 1
    await store.append(append(write("a"), write("b", 1), write("a", 1)))
    assert [(e.stream, e.version) for e in await store.read_all(1, 9)] == [
        ("a", 1),
        ("b", 2),
        ("a", 2),
    ]


@pytest.mark.parametrize(
    ("expected", "versions", "fits"),
    [
        (Expected.NONE, 0, True),
        (Expected.NONE, 2, False),
        (Expected.ANY, 0, True),
        (Expected.ANY, 2, True),
        (Expected.EXISTS, 0, False),
        (Expected.EXISTS, 2, True),
        (2, 2, True),
        (1, 2, False),
        (3, 2, False),
        (1, 0, False),
    ],
)
@pytest.mark.parametrize("only_check", [False, True])
async def test_an_expectation_holds_or_the_actual_version_is_told(
    store: EventStore, expected: int, versions: int, fits: bool, only_check: bool
) -> None:
    if versions:
        await store.append(append(write("s", count=versions)))
    wanted = (
        append(write("other"), checks={"s": expected})
        if only_check
        else append(write("s", expected))
    )
    [verdict] = await store.append_many([wanted])
    assert isinstance(verdict, Appended) == fits
    if isinstance(verdict, Conflict):
        assert (verdict.stream, verdict.actual) == ("s", versions)
        assert await store.position() == versions


async def test_each_command_of_a_batch_has_its_own_verdict(store: EventStore) -> None:
    await store.append(append(write("taken")))
    verdicts = await store.append_many(
        [
            append(write("a", count=2)),
            append(write("taken")),
            append(write("a", 2), write("b")),
            append(write("c"), write("a", 2)),
            append(write("c"), checks={"a": 3, "taken": 1}),
            append(checks={"b": 2}),
            append(checks={"b": 1}),
        ]
    )
    assert [type(v).__name__ for v in verdicts] == [
        "Appended",
        "Conflict",
        "Appended",
        "Conflict",
        "Appended",
        "Conflict",
        "Appended",
    ]
    assert [(v.first, v.last) for v in verdicts if isinstance(v, Appended)] == [
        (2, 3),
        (4, 5),
        (6, 6),
        (0, 6),
    ]
    assert [e.position for e in await store.read_all(0, 99)] == list(range(1, 7))


async def test_the_same_command_again_gets_the_first_outcome(store: EventStore) -> None:
    command = append(write("a", count=3), result=b'{"bast":"1"}')
    await store.append(command)
    await store.append(append(write("b")))
    again = await store.append(command)
    assert (again.first, again.last, again.result, again.replayed) == (1, 3, b'{"bast":"1"}', True)
    stored = await store.command(command.command_id)
    assert stored is not None
    assert (stored.fingerprint, stored.first, stored.last) == (b"content", 1, 3)
    assert await store.command(uuid4()) is None


async def test_the_same_command_twice_in_one_call_takes_effect_once(store: EventStore) -> None:
    command = append(write("a"))
    verdicts = await store.append_many([command, append(write("b")), command, append(write("c"))])
    assert [v.replayed for v in verdicts if isinstance(v, Appended)] == [False, False, True, False]
    assert await store.position() == 3


async def test_a_command_id_with_another_content_is_refused(store: EventStore) -> None:
    first = append(write("a"))
    await store.append(first)
    other = append(write("b"), command_id=first.command_id, fingerprint=b"other")
    with pytest.raises(CommandReused):
        await store.append(other)
    verdicts = await store.append_many([append(write("c")), other, append(write("d"))])
    assert [type(v) for v in verdicts] == [Appended, CommandReused, Appended]


async def test_one_of_many_concurrent_commands_for_a_stream_wins(store: EventStore) -> None:
    verdicts = await asyncio.gather(
        *(store.append(append(write("hot"), write(f"own-{n}"))) for n in range(200)),
        return_exceptions=True,
    )
    assert sum(isinstance(v, Appended) for v in verdicts) == 1
    assert sum(isinstance(v, Conflict) for v in verdicts) == 199
    assert await store.position() == 2


async def test_many_concurrent_callers_get_dense_positions_in_commit_order(
    store: EventStore,
) -> None:
    heard: list[int] = []
    store.on_append.append(heard.append)

    async def caller(name: int) -> list[Appended]:
        return [await store.append(append(write(f"{name}-{n}", count=2))) for n in range(20)]

    answers = await asyncio.gather(*map(caller, range(30)))
    assert sorted(a.first for many in answers for a in many) == list(range(1, 1201, 2))
    assert all(a.first < b.first for many in answers for a, b in pairwise(many))
    assert [e.position for e in await store.read_all(0, 5000)] == list(range(1, 1201))
    assert heard == sorted(heard)
    assert heard[-1] == 1200


async def test_a_listener_that_fails_does_not_fail_the_append(store: EventStore) -> None:
    store.on_append.append(lambda _: 1 // 0)
    assert (await store.append(append(write("a")))).last == 1
    assert (await store.append(append(write("a", 1)))).last == 2


async def test_what_the_database_cannot_take_fails_alone(store: EventStore) -> None:
    verdicts = await store.append_many(
        [append(write("a")), append(write("nul\0")), append(write("a", 1)), append(write("b"))]
    )
    assert [isinstance(v, Appended) for v in verdicts] == [True, False, True, True]


async def test_an_event_that_the_bus_could_not_carry_is_refused(store: EventStore) -> None:
    large = NewEvent(uuid4(), "custody.unit-registered.v1", b"x" * 1_000_000, "31", ("31",))
    verdicts = await store.append_many([append(Write("a", 0, (large,))), append(write("a"))])
    assert [type(v) for v in verdicts] == [TooLarge, Appended]


async def test_more_than_a_batch_holds_is_appended_whole(store: EventStore) -> None:
    verdicts = await store.append_many([append(write(f"s{n}", count=7)) for n in range(2_000)])
    assert all(isinstance(v, Appended) for v in verdicts)
    assert await store.position() == 14_000


async def test_random_batches_agree_with_a_model_in_memory(store: EventStore) -> None:
    """Any expectation, chained streams, checks and repeated commands, 60 batches."""
    random = Random(2024)
    model = Model()
    for _ in range(60):
        batch = [model.invent(random) for _ in range(random.randint(1, 12))]
        verdicts = await store.append_many(batch)
        assert [_outcome(v) for v in verdicts] == [model.append(a) for a in batch]
    recorded = await store.read_all(0, 100_000)
    assert [(e.stream, e.version) for e in recorded] == model.log
    assert [e.position for e in recorded] == list(range(1, len(model.log) + 1))


class Model:
    """The store's rules, one command at a time."""

    def __init__(self) -> None:
        self.heads: dict[str, int] = {}
        self.log: list[tuple[str, int]] = []
        self.known: dict[object, tuple[object, ...]] = {}
        self.given: list[Append] = []

    def invent(self, random: Random) -> Append:
        if self.given and random.random() < 0.1:
            return random.choice(self.given)
        streams = [f"s{random.randint(0, 5)}" for _ in range(random.randint(0, 3))]
        writes = [
            Write(
                s, self._guess(random, s), tuple(new_event() for _ in range(random.randint(1, 2)))
            )
            for s in streams
        ]
        checked = {f"s{random.randint(0, 7)}" for _ in range(random.randint(0, 2))} - set(streams)
        made = append(*writes, checks={s: self._guess(random, s) for s in checked})
        self.given.append(made)
        return made

    def _guess(self, random: Random, stream: str) -> int:
        near = self.heads.get(stream, 0) + random.choice((0, 0, 0, 0, 1, 2, -1))
        return random.choice((max(near, 0),) * 8 + (Expected.ANY, Expected.EXISTS))

    def append(self, given: Append) -> tuple[object, ...]:
        if given.command_id in self.known:
            return self.known[given.command_id]
        heads, log = dict(self.heads), list(self.log)
        ops = [(s, e, 0) for s, e in given.checks.items()]
        ops += [(w.stream, w.expected, len(w.events)) for w in given.writes]
        for stream, expected, count in ops:
            head = heads.get(stream, 0)
            if not (expected in (head, Expected.ANY) or (expected == Expected.EXISTS and head)):
                return ("conflict", stream, expected, head)
            heads[stream] = head + count
            log += [(stream, head + n + 1) for n in range(count)]
        first = len(self.log) + 1 if len(log) > len(self.log) else 0
        self.heads, self.log = heads, log
        self.known[given.command_id] = ("appended", first, len(log))
        return self.known[given.command_id]


def _outcome(verdict: object) -> tuple[object, ...]:
    if isinstance(verdict, Conflict):
        return ("conflict", verdict.stream, verdict.expected, verdict.actual)
    assert isinstance(verdict, Appended), verdict
    return ("appended", verdict.first, verdict.last)


async def test_each_callers_order_is_kept_while_batches_overtake_one_another(
    store: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "MAX_ROWS", 50)  # so that a caller's appends take several batches
    commit, random = writer.Lane.commit, Random(7)

    async def late(*batch: object) -> object:
        await asyncio.sleep(random.random() / 100)
        return await commit(*batch)

    monkeypatch.setattr(writer.Lane, "commit", late)
    told: list[int] = []
    store.on_append.append(told.append)

    async def caller(number: int) -> list[Appended | Conflict | CommandReused]:
        stream = f"unit-{number}"
        return await store.append_many([append(write(stream, version)) for version in range(30)])

    done = [verdict for each in await asyncio.gather(*map(caller, range(40))) for verdict in each]
    assert all(isinstance(verdict, Appended) for verdict in done)
    assert sorted(verdict.first for verdict in done) == list(range(1, 1201))
    assert max(told) == 1200
