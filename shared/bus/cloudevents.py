"""A stored event as a CloudEvent in NATS headers (binary mode), and back.

The header block is a pure function of the stored event, the log it belongs to and the cell: whoever
publishes a position publishes the same bytes.
"""

import re
from datetime import datetime
from functools import lru_cache
from typing import Protocol
from urllib.parse import quote, unquote
from uuid import UUID

import orjson

SPEC_VERSION = "1.0"
CONTENT_TYPE = "application/json"

_UNSAFE = re.compile(r"[^!#$&-~]")
_SAFE = "".join(chr(c) for c in range(0x21, 0x7F) if chr(c) not in '"%')


class Stored(Protocol):
    """What the headers need of a recorded event (`shared.eventstore.Recorded`)."""

    position: int
    id: UUID
    stream: str
    version: int
    type: str
    data: bytes
    meta: bytes
    recorded_at: datetime


def escape(value: str) -> str:
    """Percent-encode what the CloudEvents NATS binding does not admit in a header value."""
    return quote(value, safe=_SAFE) if _UNSAFE.search(value) else value


def source(service: str, cell: str) -> str:
    return f"/kawal/{cell}/{service}"


def encode(event: Stored, log_id: UUID, source: str) -> bytes:
    """The header lines of `event`, each ended by CR LF, without the NATS version line."""
    return (
        f"ce-type: {event.type}\r\n"
        f"ce-id: {event.id}\r\n"
        f"ce-source: {source}\r\n"
        f"ce-subject: {escape(event.stream)}\r\n"
        f"ce-specversion: {SPEC_VERSION}\r\n"
        f"ce-datacontenttype: {CONTENT_TYPE}\r\n"
        f"{_context(event.meta)}"
        f"kawal-version: {event.version}\r\n"
        f"kawal-recorded-at: {event.recorded_at.isoformat()}\r\n"
        f"correlation_id: {event.id}\r\n"
        f"log_id: {log_id}\r\n"
    ).encode()


@lru_cache(maxsize=4_096)
def _context(meta: bytes) -> str:
    """The lines that events of one command share; cached, for a command may have hundreds."""
    known = orjson.loads(meta)
    lines = {
        "ce-time": known["occurred_at"],
        "kawal-actor": known["actor"],
        "kawal-agency": known["agency"],
        "kawal-region": known["region"],
        "kawal-regions": ",".join(known["regions"]),
        "kawal-correlation": known.get("correlation"),
        "kawal-causation": known.get("causation"),
        "traceparent": known.get("traceparent"),
    }
    return "".join(f"{name}: {escape(value)}\r\n" for name, value in lines.items() if value)


@lru_cache(maxsize=4_096)
def region_of(meta: bytes) -> str:
    """Where the fact happened, from a stored event's metadata."""
    return orjson.loads(meta)["region"]


@lru_cache(maxsize=4_096)
def regions_of(meta: bytes) -> tuple[str, ...]:
    """Every region that the fact concerns, from a stored event's metadata."""
    return tuple(orjson.loads(meta)["regions"])


def parse(block: bytes) -> dict[str, str]:
    """Header lines as a dict, names in lower case, values unescaped."""
    headers = {}
    for line in block.decode("utf-8", "replace").split("\r\n"):
        name, found, value = line.partition(":")
        if found:
            value = value.strip()
            headers[name.lower()] = unquote(value) if "%" in value else value
    return headers
