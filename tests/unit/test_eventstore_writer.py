"""The writer's batches, beside a database that takes them as it is told."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from shared.eventstore import Append, Appended, Conflict, Metadata, NewEvent, Write, uuid7
from shared.eventstore import writer as writers
from shared.eventstore.batch import Batch, Verdict
from shared.eventstore.writer import AHEAD, Lane, Writer

METADATA = Metadata("person-1", "kpu", datetime(2024, 2, 13, tzinfo=UTC))


def append(stream: str, events: int = 1, follows: Sequence[UUID] = ()) -> Append:
    new = [NewEvent(uuid7(), "custody.unit-loaded.v1", b"{}", "31", ("31",)) for _ in range(events)]
    writes = (Write(stream, 0, tuple(new)),)
    return Append(uuid4(), b"content", writes, {}, METADATA, follows=tuple(follows))


class Database:
    """A log of streams. Those `taken` conflict; with one of `lost`, the connection goes, once."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.calls: list[list[str]] = []
        self.taken: set[str] = set()
        self.lost: set[str] = set()
        self.free = asyncio.Event()
        self.free.set()

    async def commit(self, batch: Batch) -> list[Verdict]:
        streams = [each.writes[0].stream for each in batch.appends]
        self.calls.append(streams)
        await self.free.wait()
        await asyncio.sleep(0)
        if found := self.lost.intersection(streams):
            self.lost -= found
            raise ConnectionResetError("gone")
        return [self._verdict(each) for each in batch.appends]

    def _verdict(self, append: Append) -> Verdict:
        stream = append.writes[0].stream
        if stream in self.taken:
            return Conflict(stream, 0, 1)
        self.log.append(stream)
        return Appended(len(self.log), len(self.log), b"{}", False)


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> Database:
    database = Database()
    monkeypatch.setattr(Lane, "commit", lambda _, batch: database.commit(batch))
    return database


@pytest.fixture
async def writer(database: Database) -> AsyncIterator[Writer]:
    async def nobody() -> None:
        raise AssertionError

    writer = Writer(nobody, ())  # type: ignore[arg-type]
    yield writer
    await writer.close()


async def until(something: object, count: int) -> None:
    while len(something) < count:  # type: ignore[arg-type]
        await asyncio.sleep(0)


async def test_what_follows_a_lost_append_is_settled_once_though_its_batch_comes_again(
    writer: Writer, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writers, "MAX_ROWS", 4)
    database.taken, database.lost = {"first"}, {"third"}
    first = append("first", events=3)
    many = [first, append("second", follows=[first.command_id]), append("third"), append("last")]
    verdicts = await writer.submit(many)
    assert [type(each) for each in verdicts] == [Conflict, Conflict, Appended, Appended]


async def test_a_callers_appends_wait_for_its_own_that_are_tried_again(
    writer: Writer, database: Database
) -> None:
    """Others' go on in the other lane meanwhile."""
    database.free.clear()
    database.lost = {"a-0"}
    own = asyncio.create_task(writer.submit([append(f"a-{n}") for n in range(2 * AHEAD)]))
    await until(database.calls, 1)
    others = [asyncio.create_task(writer.submit([append(f"b-{n}")])) for n in range(2 * AHEAD)]
    await asyncio.sleep(0)
    database.free.set()
    await asyncio.gather(own, *others)
    streams = [stream for stream in database.log if stream.startswith("a-")]
    assert streams == [f"a-{n}" for n in range(2 * AHEAD)]
    assert len(database.log) == 4 * AHEAD


async def test_many_go_in_two_halves_but_those_of_one_caller_together(
    writer: Writer, database: Database
) -> None:
    lone = [writer.submit([append(f"{n}")]) for n in range(AHEAD)]
    many = writer.submit([append(f"many-{n}") for n in range(2 * AHEAD)])
    more = [writer.submit([append(f"more-{n}")]) for n in range(AHEAD)]
    await asyncio.gather(*lone, many, *more)
    assert [len(call) for call in database.calls] == [3 * AHEAD, AHEAD]


async def test_an_append_that_cannot_be_taken_fails_alone(
    writer: Writer, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = database._verdict

    def refuse(one: Append) -> Verdict:
        if one.writes[0].stream == "bad":
            raise ValueError("no such thing")
        return take(one)

    monkeypatch.setattr(database, "_verdict", refuse)
    verdicts = await writer.submit([append("bad"), append("good"), append("fine")])
    assert [type(each) for each in verdicts] == [ValueError, Appended, Appended]


async def test_closing_waits_for_both_lanes(writer: Writer, database: Database) -> None:
    database.free.clear()
    waiting = [asyncio.create_task(writer.submit([append(f"{n}")])) for n in range(4 * AHEAD)]
    await until(database.calls, 2)
    closing = asyncio.create_task(writer.close())
    await asyncio.sleep(0)
    assert not closing.done()
    database.free.set()
    await closing
    assert all(isinstance(verdict, Appended) for [verdict] in await asyncio.gather(*waiting))
