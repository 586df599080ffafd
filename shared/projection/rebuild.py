"""Blue/green: a generation fills beside the live one by replay, then readers move to it at once."""

import asyncio
import logging
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager

import asyncpg
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from shared.projection import metrics, queries
from shared.projection.consumer import ReadModel
from shared.projection.errors import OtherLog
from shared.projection.filling import Filler
from shared.projection.patience import patiently
from shared.projection.ports import Replay
from shared.projection.registry import create_tables
from shared.projection.writer import Guard

log = logging.getLogger(__name__)

Report = Callable[[int, int], None]
"""Takes how many events have been read and how many there are."""

REPORT_SECONDS = 0.25
LOCK_SECONDS = 0.5


class Builder:
    """Builds generations of read models, one at a time for each name, in whatever process."""

    def __init__(self, pool: asyncpg.Pool, replay: Replay, guard: Guard) -> None:
        self._pool = pool
        self._replay = replay
        self._guard = guard

    async def rebuild(self, live: ReadModel, report: Report, *, always: bool) -> bool:
        """Build and flip; without `always` only if what is live cannot be continued. True if built.

        An unfinished build of the same version, also of a process that died, is continued.
        """
        async with self._alone(live.name):
            while always or await self._needed(live):
                try:
                    await self._build(live, report)
                except OtherLog as error:
                    log.warning("build of %s starts again: %s", live.name, error)
                    await self._abandon(live.name)
                else:
                    return True
        return False

    async def _build(self, live: ReadModel, report: Report) -> None:
        generation = await self._begin(live)
        build = ReadModel(live.projection)
        lanes = [
            Filler(build, source, self._pool, self._replay, self._guard, generation)
            for source in build.sources
        ]
        async with _reporting(live.name, lanes, report):
            await self._catch_up(lanes)
            await self._drop_previous(live.name)
            while not await self._flip(live, lanes, generation):
                await self._catch_up(lanes)
        log.info("%s: generation %d is live", live.name, generation)

    async def _begin(self, live: ReadModel) -> int:
        row = await queries.generation.consumer(self._pool, name=live.name)
        if row["building"] is not None:
            if row["building_version"] == live.version and await self._made(live, row["building"]):
                return row["building"]
            await self._abandon(live.name)
        async with self._pool.acquire() as connection, connection.transaction():
            generation = await queries.generation.begin_build(
                connection, name=live.name, version=live.version
            )
            schema = f"{live.name}__g{generation}"
            await create_tables(connection, live.projection, schema)
            for source in live.sources:
                await queries.generation.add_checkpoint(
                    connection,
                    name=live.name,
                    generation=generation,
                    source=source,
                    schema=schema,
                    log_id=None,
                    position=0,
                )
        return generation

    async def _made(self, live: ReadModel, generation: int) -> bool:
        build = {"name": live.name, "generation": generation}
        rows = queries.generation.build_checkpoints(self._pool, **build)
        return {row["source"] async for row in rows} == set(live.sources)

    async def _abandon(self, name: str) -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            row = await queries.generation.consumer(connection, name=name)
            if row["building"] is not None:
                build = {"name": name, "generation": row["building"]}
                await queries.generation.drop_generation(connection, **build)
                await queries.generation.end_build(connection, name=name)

    async def _catch_up(self, lanes: Sequence[Filler]) -> None:
        tasks = [asyncio.create_task(_read_all(lane)) for lane in lanes]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()

    async def _drop_previous(self, name: str) -> None:
        row = await queries.generation.consumer(self._pool, name=name)
        if row["previous"] is not None:
            await queries.generation.drop_generation(
                self._pool, name=name, generation=row["previous"]
            )

    async def _flip(self, live: ReadModel, lanes: Sequence[Filler], generation: int) -> bool:
        """The live one pauses for the last few events, so that readers never go back in time."""
        async with live.lock:
            await self._catch_up(lanes)
            return await queries.generation.flip(
                self._pool, name=live.name, generation=generation, version=live.version
            )

    async def _needed(self, live: ReadModel) -> bool:
        row = await queries.generation.consumer(self._pool, name=live.name)
        if row["version"] != live.version or row["building"] is not None:
            return True
        async for place in queries.generation.checkpoints(self._pool):
            if place["name"] == live.name and place["log_id"] is not None:
                owner = await self._replay.position(place["source"])
                if owner.log_id != place["log_id"]:
                    return True
        return False

    @asynccontextmanager
    async def _alone(self, name: str) -> AsyncIterator[None]:
        async with self._pool.acquire() as connection:
            while not await queries.generation.try_build_lock(connection, name=name):
                await asyncio.sleep(LOCK_SECONDS)
            try:
                yield
            finally:
                if not connection.is_closed():
                    await queries.generation.build_unlock(connection, name=name)


async def _read_all(lane: Filler) -> None:
    async def once() -> None:
        await lane.load()
        await lane.catch_up()

    await patiently(once, f"build of {lane.consumer.name}")


@asynccontextmanager
async def _reporting(name: str, lanes: Sequence[Filler], report: Report) -> AsyncIterator[None]:
    def tell() -> None:
        done = sum(lane.read for lane in lanes)
        total = max(done, sum(lane.owner_position for lane in lanes))
        metrics.PROGRESS.labels(name).set(done / total if total else 1.0)
        report(done, total)

    async def repeat() -> None:
        while True:
            tell()
            await asyncio.sleep(REPORT_SECONDS)

    task = asyncio.create_task(repeat())
    try:
        yield
        tell()
    finally:
        task.cancel()


@contextmanager
def progress_bar(name: str) -> Iterator[Report]:
    """A bar on the terminal; nothing where stderr is not one."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    columns = (
        TextColumn("rebuild {task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(name, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
