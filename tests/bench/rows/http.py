"""Commands over HTTP: one a request on 64 connections, and many a request on a few."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial

import asyncpg
import orjson

from shared import eventstore, projection
from shared.testing.process import interrupt_with_parent
from tests.bench.room import ROOT, Room
from tests.bench.row import OURS, Contender, NotRun, Row, Sample, Sampler, Target, figure, times

NO_STORE = "no-op post"
LIST, UPLOAD = "kawal, lists of 500", "kawal, uploads of 5,000"
SINGLE = (64, 1)
"""Connections, and how many commands each sends at a time."""
POSITION = "select coalesce(max(position), 0) from eventstore.event"


@asynccontextmanager
async def no_store(room: Room) -> AsyncIterator[Sampler]:
    async with _answering(room, {}, "--no-store") as address:
        yield partial(_load, room, address, SINGLE)


@asynccontextmanager
async def kawal(room: Room, load: tuple[object, ...]) -> AsyncIterator[Sampler]:
    """Each round's acceptances are counted again in the log."""
    bus, database = await room.nats(), await room.database(f"http_{len(load)}_{load[1]}")
    await eventstore.migrate(database.owner_dsn, database.app_role)
    await projection.migrate(database.owner_dsn, database.app_role)
    settings = {
        "KAWAL_DATABASE_URL": database.app_dsn,
        "KAWAL_NATS_URL": bus.url,
        "KAWAL_NATS_USER": "custody",
        "KAWAL_NATS_PASSWORD": bus.passwords["custody"],
    }
    async with _answering(room, settings) as address:
        log = await asyncpg.connect(database.app_dsn)

        async def sample() -> Sample:
            before = await log.fetchval(POSITION)
            measured = await _load(room, address, load)
            stored = await log.fetchval(POSITION) - before
            if stored != measured["accepted"]:
                raise NotRun(f"{measured['accepted']} accepted, {stored} stored")
            return measured

        yield sample
        await log.close()


@asynccontextmanager
async def _answering(
    room: Room, settings: Mapping[str, str], *options: str
) -> AsyncIterator[dict[str, str]]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.programs.custody_api", *options),
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | dict(settings),
        preexec_fn=interrupt_with_parent,
    )
    try:
        line = await process.stdout.readline()  # type: ignore[union-attr]
        if not line:
            raise NotRun("the service did not start")
        yield orjson.loads(line)
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
        await process.wait()


async def _load(room: Room, address: dict[str, str], load: tuple[object, ...]) -> Sample:
    return await room.python(
        "tests.bench.programs.post",
        *(address["port"], room.seconds, *load),
        env={"KAWAL_TOKEN": address["token"]},
    )


def _kawal(name: str, *load: object) -> Contender:
    return Contender(name, lambda room: kawal(room, load))


ROW = Row(
    name="http",
    title="HTTP, 64 connections, one process: a command with its stream read, decided, appended",
    unit="commands/s",
    contenders=(
        _kawal(OURS, *SINGLE),
        Contender(NO_STORE, no_store),
        _kawal(LIST, 4, 500),
        _kawal(UPLOAD, 4, 5_000, "--lines"),
    ),
    targets=(
        Target("commands/s", 1_500, figure(OURS)),
        Target("x the same route without a store", 0.5, times(OURS, NO_STORE)),
        Target("items/s as lists", 10_000, figure(LIST)),
        Target("items/s as lines", 10_000, figure(UPLOAD)),
    ),
)
