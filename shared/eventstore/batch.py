"""A batch: appends of many callers as the arrays of one call to the database."""

from collections.abc import Sequence

import asyncpg

from shared.eventstore.errors import CommandReused, Conflict
from shared.eventstore.model import Append, Appended, Expected

Verdict = Appended | Conflict | CommandReused


class Batch:
    """Appends in the order in which they take effect; a command id occurs once.

    `sequential` becomes false when some expectation cannot be translated into versions that exist
    or do not exist before the batch: any, exists, or one that fails inside the batch.
    """

    def __init__(self) -> None:
        self.appends: list[Append] = []
        self.sequential = True
        self._heads: dict[str, int] = {}
        self._present: tuple[list[str], list[int]] = ([], [])
        self._absent: tuple[list[str], list[int]] = ([], [])
        self._firsts: list[int] = []
        self._lasts: list[int] = []
        self._ids: list[object] = []
        self._commands: list[object] = []
        self._streams: list[str] = []
        self._versions: list[int] = []
        self._types: list[str] = []
        self._data: list[bytes] = []
        self._meta: list[bytes] = []

    @property
    def events(self) -> int:
        """How many it would append."""
        return len(self._ids)

    def add(self, append: Append) -> None:
        """Put an append behind the others."""
        before = len(self._ids)
        self.appends.append(append)
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
                self._ids.append(event.id)
                self._commands.append(append.command_id)
                self._streams.append(write.stream)
                self._versions.append(version)
                self._types.append(event.type)
                self._data.append(event.data)
                self._meta.append(meta)
        after = len(self._ids)
        self._firsts.append(before + 1 if after > before else 0)
        self._lasts.append(after)

    def _check(self, stream: str, expected: int) -> None:
        head = self._heads.get(stream)
        if head is not None:
            self.sequential &= _holds(expected, head)
        elif expected != Expected.ANY:
            if expected != Expected.NONE:
                self._require(self._present, stream, max(expected, 1))
            if expected >= 0:
                self._require(self._absent, stream, expected + 1)

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
            self._require(self._present, stream, expected)
        return expected

    @staticmethod
    def _require(where: tuple[list[str], list[int]], stream: str, version: int) -> None:
        where[0].append(stream)
        where[1].append(version)

    def whole(self) -> tuple[Sequence[object], ...]:
        """The arguments of `append`."""
        return (
            *self._command_arrays(),
            self._firsts,
            self._lasts,
            *self._present,
            *self._absent,
            self._ids,
            self._commands,
            self._streams,
            self._versions,
            self._types,
            self._data,
            self._meta,
        )

    def each(self) -> tuple[Sequence[object], ...]:
        """The arguments of `append_each`."""
        streams: dict[str, int] = {}
        ops = self.ops()
        places = [streams.setdefault(stream, len(streams) + 1) for _, stream, _, _ in ops]
        return (
            *self._command_arrays(),
            list(streams),
            [command for command, _, _, _ in ops],
            places,
            [expected for _, _, expected, _ in ops],
            [count for _, _, _, count in ops],
            *self._links(),
            self._ids,
            self._commands,
            self._streams,
            self._types,
            self._data,
            self._meta,
        )

    def _command_arrays(self) -> tuple[Sequence[object], ...]:
        return (
            [append.command_id for append in self.appends],
            [append.fingerprint for append in self.appends],
            [append.result for append in self.appends],
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
            Appended(head + first if first else 0, head + last, append.result, False)
            for append, first, last in zip(self.appends, self._firsts, self._lasts, strict=True)
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


def _holds(expected: int, head: int) -> bool:
    if expected == Expected.EXISTS:
        return head > 0
    return expected in (head, Expected.ANY)


def unfounded(append: Append) -> Conflict:
    """The verdict on an append that follows one that was not appended."""
    write = append.writes[0] if append.writes else None
    stream, expected = (write.stream, write.expected) if write else ("", 0)
    return Conflict(stream, expected, expected)
