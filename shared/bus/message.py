"""One event as it travels: cheap to make, its headers read only when asked for."""

from datetime import datetime
from functools import lru_cache
from uuid import UUID

from shared.bus import cloudevents, subjects

_TYPE = b"ce-type: "


class Message:
    """An event received from a stream or from its owner's replay.

    `data` are the stored bytes, `block` the header lines as they were received.
    """

    __slots__ = ("_headers", "_type", "block", "data", "position", "subject")

    def __init__(self, position: int, subject: str, data: bytes, block: bytes) -> None:
        self.position = position
        self.subject = subject
        self.data = data
        self.block = block
        self._headers: dict[str, str] | None = None
        self._type: str | None = None

    def __repr__(self) -> str:
        return f"Message({self.position}, {self.type})"

    @property
    def headers(self) -> dict[str, str]:
        if self._headers is None:
            self._headers = cloudevents.parse(self.block)
        return self._headers

    @property
    def type(self) -> str:
        if self._type is None:
            start = self.block.find(_TYPE) + len(_TYPE)
            self._type = _text(self.block[start : self.block.find(b"\r", start)])
        return self._type

    @property
    def service(self) -> str:
        return self.type.partition(".")[0]

    @property
    def id(self) -> UUID:
        return UUID(self.headers["ce-id"])

    @property
    def stream(self) -> str:
        """The stream of the event store, `unit-BOX-...`."""
        return self.headers["ce-subject"]

    @property
    def version(self) -> int:
        return int(self.headers["kawal-version"])

    @property
    def region(self) -> str:
        return self.headers["kawal-region"]

    @property
    def regions(self) -> tuple[str, ...]:
        return tuple(filter(None, self.headers.get("kawal-regions", "").split(",")))

    @property
    def actor(self) -> str:
        return self.headers["kawal-actor"]

    @property
    def agency(self) -> str:
        return self.headers["kawal-agency"]

    @property
    def occurred_at(self) -> datetime:
        return datetime.fromisoformat(self.headers["ce-time"])

    @property
    def recorded_at(self) -> datetime:
        return datetime.fromisoformat(self.headers["kawal-recorded-at"])

    @property
    def correlation_id(self) -> UUID | None:
        return _uuid(self.headers.get("kawal-correlation"))

    @property
    def causation_id(self) -> UUID | None:
        return _uuid(self.headers.get("kawal-causation"))

    @property
    def traceparent(self) -> str:
        return self.headers.get("traceparent", "")

    @property
    def log_id(self) -> UUID:
        return UUID(self.headers["log_id"])


class Logged(Message):
    """An event as its own service reads it from the store; the rest is made when asked for."""

    __slots__ = ("_event", "_log_id", "_source")

    def __init__(self, event: cloudevents.Stored, log_id: UUID, source: str) -> None:
        self.position = event.position
        self.data = event.data
        self._type = event.type
        self._headers = None
        self._event = event
        self._log_id = log_id
        self._source = source

    @property
    def block(self) -> bytes:
        return cloudevents.encode(self._event, self._log_id, self._source)

    @property
    def subject(self) -> str:
        return subjects.subject_of(self._event.type, cloudevents.region_of(self._event.meta))

    @property
    def id(self) -> UUID:
        return self._event.id

    @property
    def stream(self) -> str:
        return self._event.stream

    @property
    def recorded_at(self) -> datetime:
        return self._event.recorded_at

    @property
    def log_id(self) -> UUID:
        return self._log_id


def sequence(reply: bytes) -> int:
    """The stream sequence in a JetStream acknowledgement subject, of either form."""
    tokens = reply.split(b".")
    return int(tokens[5] if len(tokens) == 9 else tokens[7])


@lru_cache(maxsize=4_096)
def _text(raw: bytes) -> str:
    return raw.decode()


def _uuid(value: str | None) -> UUID | None:
    return UUID(value) if value else None
