"""A lost database is waited for, but not for ever."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import asyncpg

from shared.eventstore.errors import Unavailable

PATIENCE = 30.0
BACKOFF = (0.02, 1.0)
"""Seconds: the first pause, doubled up to the longest."""

# Lost connections, a server that starts or stops, a lock or resource that is not to be had now.
TRANSIENT = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.LockNotAvailableError,
    asyncpg.TransactionRollbackError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.InternalClientError,
)

T = TypeVar("T")


async def patiently(attempt: Callable[[], Awaitable[T]], patience: float) -> T:
    """Repeat something that may be repeated; `Unavailable` after `patience` seconds."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + patience
    pause = BACKOFF[0]
    while True:
        try:
            return await attempt()
        except TRANSIENT as error:
            if loop.time() + pause > deadline:
                raise Unavailable(f"no answer within {patience:g} s") from error
        await asyncio.sleep(pause)
        pause = min(pause * 2, BACKOFF[1])
