"""A command's effect, made cheaply: its id follows from what it is about."""

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from uuid import NAMESPACE_URL, UUID, uuid5

from shared.eventstore.ids import uuid7
from shared.eventstore.model import Append, Metadata, NewEvent, Write
from shared.eventstore.results import ACCEPTED

COMMANDS = uuid5(NAMESPACE_URL, "urn:kawal:bench:national")
NO_CHECKS: dict[str, int] = {}

Actor = tuple[str, str]
"""A person and the agency that the person acts for."""


def command_id(name: str) -> UUID:
    return uuid5(COMMANDS, name)


def event(
    type: str, data: str | bytes, region: str, regions: tuple[str, ...] | None = None
) -> NewEvent:
    body = data.encode() if isinstance(data, str) else data
    return NewEvent(uuid7(), type, body, region, regions or (region,))


def append(name: str, actor: Actor, at: datetime, writes: Sequence[Write]) -> Append:
    """The effect of the command `name`, which is unlike that of any other command."""
    id = command_id(name)
    fingerprint = sha256(name.encode()).digest()
    metadata = Metadata(*actor, at, correlation_id=id)
    return Append(id, fingerprint, tuple(writes), NO_CHECKS, metadata, ACCEPTED)
