"""The event store: append with expected versions, read by stream and by position (Postgres)."""

from shared.eventstore.command import Command, Context, Decider, Request
from shared.eventstore.errors import CommandReused, Conflict, TooLarge, Unavailable
from shared.eventstore.handler import CommandHandler
from shared.eventstore.ids import uuid7
from shared.eventstore.migrate import migrate
from shared.eventstore.model import (
    Append,
    Appended,
    Expected,
    Metadata,
    NewEvent,
    Recorded,
    Snapshot,
    StoredCommand,
    Write,
)
from shared.eventstore.snapshots import Snapshots
from shared.eventstore.store import EventStore
from shared.eventstore.upcasters import Upcasters

__all__ = [
    "Append",
    "Appended",
    "Command",
    "CommandHandler",
    "CommandReused",
    "Conflict",
    "Context",
    "Decider",
    "EventStore",
    "Expected",
    "Metadata",
    "NewEvent",
    "Recorded",
    "Request",
    "Snapshot",
    "Snapshots",
    "StoredCommand",
    "TooLarge",
    "Unavailable",
    "Upcasters",
    "Write",
    "migrate",
    "uuid7",
]
