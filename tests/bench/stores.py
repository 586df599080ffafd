"""Contenders of the store's rows that are no peers: Kawal itself, and the limits of the machine."""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from itertools import count
from pathlib import Path
from time import time
from urllib.parse import urlsplit

import asyncpg

from shared.eventstore import migrate
from shared.testing.postgres import binary
from shared.testing.provision import Database
from tests.bench.room import Room
from tests.bench.row import Contender, NotRun, Sample, Sampler

SQL = Path(__file__).parent / "sql"
STARTING = 2.0
"""Seconds from a program's start to those that count: about one to get ready, one to warm up."""

_names = count(1)


async def store(room: Room) -> Database:
    """A fresh database with an event store."""
    database = await room.database(f"kawal_{next(_names)}")
    await migrate(database.owner_dsn, database.app_role)
    return database


def appending(name: str, callers: int, processes: int = 1) -> Contender:
    """Kawal: so many callers in each of so many processes, all on one database."""

    @asynccontextmanager
    async def open(room: Room) -> AsyncIterator[Sampler]:
        database = await store(room)

        async def one(at: float) -> Sample:
            program = "tests.bench.programs.append"
            return await room.python(program, database.app_dsn, callers, room.seconds, at)

        async def sample() -> Sample:
            at = time() + STARTING
            return together(await asyncio.gather(*(one(at) for _ in range(processes))))

        yield sample

    return Contender(name, open)


def together(samples: Sequence[Sample]) -> Sample:
    """What processes do side by side: rates add up, of the latencies the worst counts."""
    worst = {key: max(one[key] for one in samples) for key in samples[0] if key != "rate"}
    return {"rate": sum(one["rate"] for one in samples), **worst}


@asynccontextmanager
async def _copying(room: Room) -> AsyncIterator[Sampler]:
    database = await store(room)
    yield partial(room.python, "tests.bench.programs.copy", database.app_dsn, room.seconds)


def copying() -> Contender:
    """COPY of the same rows into the same table, 5,000 in a transaction, with no check at all."""
    return Contender("copy", _copying)


def pgbench(name: str, callers: int) -> Contender:
    """One INSERT of such a row per transaction, prepared, in pgbench's own process."""

    @asynccontextmanager
    async def open(room: Room) -> AsyncIterator[Sampler]:
        database = await room.database(f"pgbench_{next(_names)}")
        await _execute(database.owner_dsn, (SQL / "pgbench_table.sql").read_text())
        target = urlsplit(database.owner_dsn)

        async def sample() -> Sample:
            said = await room.output(
                binary("pgbench"),
                *("--no-vacuum", "--protocol=prepared", f"--file={SQL / 'pgbench_insert.sql'}"),
                *(f"--client={callers}", f"--jobs={min(callers, 2)}"),
                *(f"--time={max(1, round(room.seconds))}", f"--host={target.hostname}"),
                *(f"--port={target.port}", f"--username={target.username}", database.name),
                env={"PGPASSWORD": target.password or ""},
            )
            found = re.search(r"tps = ([0-9.]+)", said)
            if found is None:
                raise NotRun("pgbench says no rate")
            return {"rate": float(found[1])}

        yield sample

    return Contender(name, open)


async def _execute(dsn: str, statements: str) -> None:
    connection = await asyncpg.connect(dsn)
    await connection.execute(statements)
    await connection.close()


@asynccontextmanager
async def _syncing(room: Room) -> AsyncIterator[Sampler]:
    said = await room.output(
        *(binary("pg_test_fsync"), "--secs-per-test=1"), f"--filename={room.folder / 'fsync'}"
    )
    found = re.search(r"fdatasync +([0-9.]+) ops/sec", said)
    if found is None:
        raise NotRun("pg_test_fsync says nothing of fdatasync")
    syncs = float(found[1])

    async def sample() -> Sample:
        return {"rate": syncs}

    yield sample


def syncing() -> Contender:
    """fdatasync of one page per second, once in a run: what one commit after another could do."""
    return Contender("fdatasync", _syncing)
