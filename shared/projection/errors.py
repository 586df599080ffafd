"""What can go wrong between an event and its effect, and which of it heals by waiting."""

from uuid import UUID

import asyncpg
import nats.errors

from shared.eventstore import Unavailable as StoreUnavailable

_HEALS = ("08", "40", "53")
"""SQLSTATE classes: connection, transaction rollback (deadlock), insufficient resources."""
_HEALING = {"55P03", "57P01", "57P02", "57P03", "57P05", "25006"}
"""Lock not available; server shutting down, crashed or starting; read-only (a failover)."""

PROBE_SECONDS = 5.0

_CONNECTION = (
    ConnectionError,
    TimeoutError,
    asyncpg.InvalidCachedStatementError,
    asyncpg.OutdatedSchemaCacheError,
    nats.errors.Error,
    StoreUnavailable,
)


class Unavailable(Exception):
    """Something that the engine stands on is away or answers nonsense; wait, load, go on."""


class Fenced(Exception):
    """The checkpoint is not where this process left it: another one was here, or a flip."""


class Stale(Exception):
    """What was applied so far cannot be continued; it has to be built anew."""


class OtherVersion(Stale):
    """The tables were made by another version of the projection."""


class OtherLog(Stale):
    """The source's log is not the one that was applied: its store was restored from a backup."""

    def __init__(self, source: str, log_id: UUID) -> None:
        super().__init__(f"{source} now has log {log_id}")
        self.source = source
        self.log_id = log_id


class Poison(Exception):
    """The handler cannot take these messages; `__cause__` is its error."""


class WaitTimeout(TimeoutError):
    """A reader asked for a position that was not reached in time."""


def heals(error: BaseException) -> bool:
    """Whether waiting may help, as opposed to an event or a handler that is wrong."""
    code = getattr(error, "sqlstate", None) or ""
    return isinstance(error, _CONNECTION) or code[:2] in _HEALS or code in _HEALING


async def is_poison(error: BaseException, connection: asyncpg.Connection) -> bool:
    """Whether a transaction failed by its content: the connection, asked again, is sound.

    A connection lost at some moments makes the driver raise what looks like misuse.
    """
    if heals(error):
        return False
    try:
        return await connection.fetchval("select true", timeout=PROBE_SECONDS)
    except Exception:
        return False


def describe(error: BaseException) -> str:
    """One line for an operator: the type and the message, bounded."""
    return f"{type(error).__name__}: {error}"[:2_000]
