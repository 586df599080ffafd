"""Durable append by the peers: one event a command, to a new stream that must not exist.

How many connections (or clients) serve the callers best depends on the machine and the disk, so
each peer is tried with several, a second each, when its row begins; the best is then measured.

message-db writes to one category one after the other. Streams of one kind are of one category, as
here; how much it would write to several is shown beside it, and held against nobody.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from itertools import count

import asyncpg

from shared.testing.process import LOOPBACK, free_port, port_is_free, spawn
from tests.bench.load import BODY
from tests.bench.peers.variants import Variant, fastest
from tests.bench.room import Room
from tests.bench.row import Contender, Sample, Sampler

START = 30.0
POOLS = (4, 8, 16, 32)
CATEGORIES = 16

_numbers = count(1)

Store = Callable[[Room, int], AbstractAsyncContextManager[str]]
"""Sets a peer's store up and yields the address that its program is given."""


def append_contenders(callers: int) -> Sequence[Contender]:
    """The peers with `callers` concurrent callers in one process."""
    pools = tuple((size,) for size in (1, *POOLS) if size <= callers)
    recorders = tuple(
        (recorder, size) for recorder in ("aggregates", "dcb") for (size,) in pools if size <= 16
    )
    clients = tuple((size,) for size in (1, 8) if size <= callers)
    spread = tuple((size, CATEGORIES) for (size,) in pools if size > 1)
    peers = (
        ("eventsourcing", eventsourcing, "eventsourcing_append.py", recorders),
        ("emmett", emmett, "emmett_append.mjs", pools),
        ("message-db", message_db, "message_db_append.py", pools),
        (f"message-db, {CATEGORIES} categories", message_db, "message_db_append.py", spread),
        ("umadb", umadb, "umadb_append.py", clients),
    )
    return tuple(
        Contender(name, partial(_appending, store, program, variants, callers))
        for name, store, program, variants in peers
        if variants
    )


@asynccontextmanager
async def _appending(
    store: Store, program: str, variants: Sequence[Variant], callers: int, room: Room
) -> AsyncIterator[Sampler]:
    peers = await asyncio.to_thread(lambda: room.peers)
    async with store(room, callers) as address:

        async def append(variant: Variant, seconds: float) -> Sample:
            command = (*peers.program(program), address, BODY.decode(), callers, seconds)
            return await room.run(*command, *variant, env=peers.environment())

        best = await fastest(append, variants)
        yield partial(append, best, room.seconds)


@asynccontextmanager
async def eventsourcing(room: Room, callers: int) -> AsyncIterator[str]:
    """An empty database: the recorders make their tables."""
    yield (await room.database(f"eventsourcing_{callers}")).owner_dsn


@asynccontextmanager
async def emmett(room: Room, callers: int) -> AsyncIterator[str]:
    """An empty database: the store migrates it."""
    yield (await room.database(f"emmett_{callers}")).owner_dsn


MESSAGE_DB = (
    "schema/message-store.sql",
    "tables/messages.sql",
    "types/message.sql",
    *(f"functions/{name}.sql" for name in ("hash-64", "acquire-lock", "category", "is-category")),
    *(f"functions/{name}.sql" for name in ("id", "cardinal-id", "stream-version")),
    "functions/write-message.sql",
    *(f"indexes/messages-{name}.sql" for name in ("id", "stream", "category")),
)
"""What its install.sh runs that an append needs, in the same order, but for the extension pgcrypto:
its one function of use, gen_random_uuid, has been in Postgres itself since version 13."""


@asynccontextmanager
async def message_db(room: Room, callers: int) -> AsyncIterator[str]:
    """message-db's schema and functions from its npm package, in a database of the row's server."""
    database = await room.database(f"message_db_{next(_numbers)}")
    scripts = room.peers.packages / "@eventide" / "message-db" / "database"
    connection = await asyncpg.connect(
        database.owner_dsn, server_settings={"search_path": "message_store,public"}
    )
    try:
        for script in MESSAGE_DB:
            await connection.execute((scripts / script).read_text())
    finally:
        await connection.close()
    yield database.owner_dsn


@asynccontextmanager
async def umadb(room: Room, callers: int) -> AsyncIterator[str]:
    """UmaDB's server with its default settings, which sync each batch of appends to the disk."""
    folder, port = room.folder / f"umadb-{callers}", free_port()
    folder.mkdir(mode=0o700)
    command = (room.peers.umadb, "--listen", f"{LOOPBACK}:{port}", "--db-path", f"{folder}/")
    process = spawn(command, folder / "umadb.log", attached=True)
    try:
        await _listening(port)
        yield f"http://{LOOPBACK}:{port}"
    finally:
        process.stop()


async def _listening(port: int) -> None:
    async with asyncio.timeout(START):
        while port_is_free(port):
            await asyncio.sleep(0.05)
