"""A batch: appends of many callers as the rows of one call to the database."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from shared.eventstore.errors import CommandReused, Conflict
from shared.eventstore.model import Append, Appended, Expected

Verdict = Appended | Conflict | CommandReused

NewCommand = tuple[UUID, bytes, bytes, int, int]
"""id, fingerprint, result, offsets of its first and last event in the batch: a row of append_v2."""

StoredEvent = tuple[UUID, UUID, str, int, str, bytes, bytes]
"""id, command id, stream, version, type, data, meta: a row of append_v2."""


class Batch:
    """Appends in the order in which they take effect; a command id occurs once.

    `sequential` becomes false when some expectation cannot be translated into versions that exist
    or do not exist before the batch: any, exists, or one that fails inside the batch.
    """

    def __init__(self) -> None:
        self.appends: list[Append] = []
        self.sequential = True
        self._heads: dict[str, int] = {}
        self._present: list[tuple[str, int]] = []
        self._absent: list[tuple[str, int]] = []
        self._commands: list[NewCommand] = []
        self._events: list[StoredEvent] = []

    @property
    def events(self) -> int:
        """How many it would append."""
        return len(self._events)

    def add(self, append: Append) -> None:
        """Put an append behind the others."""
        before = len(self._events)
        self.appends.append(append)
        id = append.command_id
        for stream, expected in append.checks.items():
            self._check(stream, expected)
        metas: dict[tuple[str, tuple[str, ...]], bytes] = {}
        for write in append.writes:
            version = self._expect(write.stream, write.expected)
            self._heads[write.stream] = version + len(write.events)
            for event in write.events:
                version += 1
                place = (event.region, event.regions)
                meta = metas.get(place)
                if meta is None:
                    meta = metas[place] = append.metadata.encode(*place)
                row = (event.id, id, write.stream, version, event.type, event.data, meta)
                self._events.append(row)
        after = len(self._events)
        first = before + 1 if after > before else 0
        self._commands.append((id, append.fingerprint, append.result, first, after))

    def _check(self, stream: str, expected: int) -> None:
        head = self._heads.get(stream)
        if head is not None:
            self.sequential &= _holds(expected, head)
        elif expected != Expected.ANY:
            if expected != Expected.NONE:
                self._present.append((stream, max(expected, 1)))
            if expected >= 0:
                self._absent.append((stream, expected + 1))

    def _expect(self, stream: str, expected: int) -> int:
        """The stream's version before a write, as far as it is known here."""
        head = self._heads.get(stream)
        if head is not None:
            self.sequential &= _holds(expected, head)
            return head
        if expected < 0:
            self.sequential = False
            return 0
        if expected > 0:
            self._present.append((stream, expected))
        return expected

    def whole(self) -> tuple[Sequence[object], ...]:
        """The arguments of `append`."""
        return self._commands, self._present, self._absent, self._events

    def each(self) -> tuple[Sequence[object], ...]:
        """The arguments of `append_each`."""
        streams: dict[str, int] = {}
        ops = self.ops()
        places = [streams.setdefault(stream, len(streams) + 1) for _, stream, _, _ in ops]
        ids, commands, names, _, types, data, meta = _columns(self._events, 7)
        return (
            *_columns(self._commands, 5)[:3],
            list(streams),
            [command for command, _, _, _ in ops],
            places,
            [expected for _, _, expected, _ in ops],
            [count for _, _, _, count in ops],
            *self._links(),
            *(ids, commands, names, types, data, meta),
        )

    def _links(self) -> tuple[list[int], list[int]]:
        """Places of commands that follow another one of this batch, and of that one."""
        places = {append.command_id: place for place, append in enumerate(self.appends, 1)}
        links = [
            (place, places[before])
            for place, append in enumerate(self.appends, 1)
            for before in append.follows
            if before in places
        ]
        return [place for place, _ in links], [before for _, before in links]

    def ops(self) -> list[tuple[int, str, int, int]]:
        """(place of the command from 1, stream, expected version, number of events)."""
        found: list[tuple[int, str, int, int]] = []
        for place, append in enumerate(self.appends, 1):
            found += [(place, stream, expected, 0) for stream, expected in append.checks.items()]
            found += [(place, w.stream, w.expected, len(w.events)) for w in append.writes]
        return found

    def appended(self, head: int) -> list[Verdict]:
        """The verdicts when everything was appended after position `head`."""
        return [
            Appended(head + first if first else 0, head + last, result, False)
            for _, _, result, first, last in self._commands
        ]

    def verdicts(self, rows: Sequence[asyncpg.Record]) -> list[Verdict]:
        """The verdicts from the rows of `append_each`."""
        ops = self.ops()
        return [self._verdict(a, row, ops) for a, row in zip(self.appends, rows, strict=True)]

    @staticmethod
    def _verdict(
        append: Append, row: asyncpg.Record, ops: list[tuple[int, str, int, int]]
    ) -> Verdict:
        verdict, first, last, fingerprint, result, op, actual = row
        if verdict == "appended":
            return Appended(first, last, append.result, False)
        if verdict == "conflict":
            if not op:
                return unfounded(append)
            _, stream, expected, _ = ops[op - 1]
            return Conflict(stream, expected, actual)
        if fingerprint != append.fingerprint:
            return CommandReused(append.command_id)
        return Appended(first, last, result, True)


def _columns(rows: Sequence[tuple[object, ...]], count: int) -> list[Sequence[object]]:
    return list(zip(*rows, strict=True)) or [()] * count


def _holds(expected: int, head: int) -> bool:
    if expected == Expected.EXISTS:
        return head > 0
    return expected in (head, Expected.ANY)


def unfounded(append: Append) -> Conflict:
    """The verdict on an append that follows one that was not appended."""
    write = append.writes[0] if append.writes else None
    stream, expected = (write.stream, write.expected) if write else ("", 0)
    return Conflict(stream, expected, expected)
