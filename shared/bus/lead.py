"""One active relay per service: a session-level advisory lock in the service's own database.

For efficiency only. The fencing of the relay is what makes two of them harmless.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256

import asyncpg

log = logging.getLogger(__name__)

KEEPALIVE = {
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}


class Lead:
    """`async with Lead(dsn, "relay-custody").held() as lost:` waits for its turn.

    `lost` is set when the database ends the session, and with it the turn.
    """

    def __init__(self, dsn: str, name: str) -> None:
        self._dsn = dsn
        self._name = name
        self._key = int.from_bytes(sha256(name.encode()).digest()[:8], signed=True)

    @asynccontextmanager
    async def held(self) -> AsyncIterator[asyncio.Event]:
        lost = asyncio.Event()
        connection = await asyncpg.connect(self._dsn, server_settings=KEEPALIVE)
        try:
            connection.add_termination_listener(lambda _: lost.set())
            await connection.execute("select pg_advisory_lock($1)", self._key)
            log.info("%s: leading", self._name)
            yield lost
        finally:
            connection.terminate()


class Alone:
    """A lead without a lock, for a process that is known to be the only one, and for tests."""

    @asynccontextmanager
    async def held(self) -> AsyncIterator[asyncio.Event]:
        yield asyncio.Event()
