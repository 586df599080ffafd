"""What goes into the store and what comes out of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any
from uuid import UUID

import orjson

from shared.contracts.base import canonical


class Expected:
    """Expectations on a stream's version other than an exact one (an integer from 1)."""

    NONE = 0
    ANY = -1
    EXISTS = -2


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event to append; `data` are the canonical bytes that are stored, published and proven."""

    id: UUID
    type: str
    data: bytes
    region: str
    regions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Metadata:
    """What is known of the act behind the events of a command."""

    actor: str
    agency: str
    occurred_at: datetime
    correlation_id: UUID | None = None
    causation_id: UUID | None = None
    traceparent: str = ""

    def encode(self, region: str, regions: tuple[str, ...]) -> bytes:
        """The canonical bytes stored beside an event of this place."""
        return canonical(
            {
                "actor": self.actor,
                "agency": self.agency,
                "causation": _text(self.causation_id),
                "correlation": _text(self.correlation_id),
                "occurred_at": self.occurred_at.astimezone(UTC),
                "region": region,
                "regions": regions,
                "traceparent": self.traceparent,
            }
        )


@dataclass(frozen=True, slots=True)
class Write:
    """Events for one stream that is at version `expected`."""

    stream: str
    expected: int
    events: tuple[NewEvent, ...]


@dataclass(frozen=True, slots=True)
class Append:
    """One command's effect: all writes or none, if every write's and check's version holds.

    `checks` maps streams that are not written to their expected versions. `follows` are commands
    before this one in the same call whose events it was decided on: if one of them is not appended
    now, this one is a conflict. A later append with the same `command_id` and `fingerprint`
    answers with this one's outcome and does nothing.
    """

    command_id: UUID
    fingerprint: bytes
    writes: tuple[Write, ...]
    checks: Mapping[str, int]
    metadata: Metadata
    result: bytes = b"{}"
    follows: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class Appended:
    """Positions of a command's first and last event.

    Without events `first` is 0 and `last` the log's position then. `replayed`: the command was
    known before this call, or a lost connection left it to be found by its id.
    """

    first: int
    last: int
    result: bytes
    replayed: bool


@dataclass(frozen=True, slots=True)
class StoredCommand:
    command_id: UUID
    fingerprint: bytes
    result: bytes
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A stream's state at a version, in a form that `schema` names."""

    stream: str
    version: int
    schema: str
    data: bytes


@dataclass(frozen=True)
class RecordedMetadata(Metadata):
    """The stored metadata of one event, with its place."""

    region: str = ""
    regions: tuple[str, ...] = field(default=())


@dataclass
class Recorded:
    """A stored event."""

    position: int
    id: UUID
    stream: str
    version: int
    type: str
    data: bytes
    meta: bytes
    recorded_at: datetime
    command_id: UUID

    @cached_property
    def metadata(self) -> RecordedMetadata:
        """The decoded `meta`."""
        meta: dict[str, Any] = orjson.loads(self.meta)
        return RecordedMetadata(
            actor=meta["actor"],
            agency=meta["agency"],
            occurred_at=datetime.fromisoformat(meta["occurred_at"]),
            correlation_id=_uuid(meta["correlation"]),
            causation_id=_uuid(meta["causation"]),
            traceparent=meta["traceparent"],
            region=meta["region"],
            regions=tuple(meta["regions"]),
        )


def _uuid(text: str | None) -> UUID | None:
    return UUID(text) if text else None


def _text(id: UUID | None) -> str | None:
    return str(id) if id else None
