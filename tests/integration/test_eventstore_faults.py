"""Lost connections, killed sessions, several processes: nothing lost, nothing twice, no gap."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest
from toy_boxes import append, write

from shared.eventstore import Appended, CommandReused, EventStore, Unavailable, migrate
from shared.testing.provision import Database

HERE = Path(__file__).parent


class Proxy:
    """Between the store and Postgres; can swallow an answer, or take no connection."""

    def __init__(self, dsn: str) -> None:
        url = urlsplit(dsn)
        self._target = (url.hostname, url.port)
        self._dsn = dsn
        self.open = True
        self.swallow = False
        self.swallowed = 0

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[str]:
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        yield self._dsn.replace(f":{self._target[1]}/", f":{port}/")
        server.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.open:
            writer.close()
            return
        up_reader, up_writer = await asyncio.open_connection(*self._target)
        pumps = [
            asyncio.create_task(self._pump(reader, up_writer, answers=False)),
            asyncio.create_task(self._pump(up_reader, writer, answers=True)),
        ]
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        writer.close()
        up_writer.close()
        await asyncio.gather(*pumps, return_exceptions=True)

    async def _pump(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, answers: bool
    ) -> None:
        with suppress(OSError):
            while data := await source.read(1 << 16):
                if answers and (self.swallow or not self.open):
                    self.swallow = False
                    self.swallowed += 1
                    return
                sink.write(data)
                await sink.drain()


async def test_an_append_whose_answer_was_lost_is_found_by_its_command(
    store: EventStore, database: Database
) -> None:
    proxy = Proxy(database.app_dsn)
    async with proxy.serve() as dsn, await EventStore.open(dsn, service="custody") as far:
        await far.append(append(write("a")))
        proxy.swallow = True
        done = await far.append(append(write("a", 1), write("b")))
        assert proxy.swallowed == 1
        assert (done.first, done.last) == (2, 3)
        assert (await far.append(append(write("a", 2)))).last == 4
    assert [e.position for e in await store.read_all(0, 9)] == [1, 2, 3, 4]


async def test_a_lost_answer_does_not_hide_that_a_command_id_was_reused(
    store: EventStore, database: Database
) -> None:
    first = append(write("a"))
    await store.append(first)
    proxy = Proxy(database.app_dsn)
    async with proxy.serve() as dsn, await EventStore.open(dsn, service="custody") as far:
        await far.append(append(write("b")))
        proxy.swallow = True
        other = append(write("c"), command_id=first.command_id, fingerprint=b"other")
        with pytest.raises(CommandReused):
            await far.append(other)


async def test_a_lost_database_is_waited_for_but_not_for_ever(
    store: EventStore, database: Database
) -> None:
    proxy = Proxy(database.app_dsn)
    async with proxy.serve() as dsn:
        async with await EventStore.open(dsn, service="custody", patience=1.5) as far:
            await far.append(append(write("a")))
            proxy.open = False
            waiting = [
                asyncio.create_task(far.append(append(write("b")))),
                asyncio.create_task(far.append(append(write("c")))),
                asyncio.create_task(far.read_stream("a")),
            ]
            answers = await asyncio.gather(*waiting, return_exceptions=True)
            assert [type(a) for a in answers] == [Unavailable] * 3
            patient = asyncio.create_task(far.append(append(write("d"))))
            await asyncio.sleep(0.3)
            proxy.open = True
            assert isinstance(await patient, Appended)
            assert len(await far.read_stream("a")) == 1


async def test_killed_sessions_lose_nothing_and_leave_no_gap(
    store: EventStore, database: Database
) -> None:
    killer = await asyncpg.connect(database.app_dsn)
    done = asyncio.Event()

    async def kill() -> int:
        """Each time that something was appended: however slow the machine, some of it passes."""
        killed = seen = 0
        while not done.is_set():
            position = await killer.fetchval("select max(position) from eventstore.event") or 0
            if position > seen:
                seen = position
                killed += await killer.fetchval(
                    "select count(*) from (select pg_terminate_backend(pid) from pg_stat_activity "
                    "where datname = current_database() and pid <> pg_backend_pid()) as killed"
                )
            await asyncio.sleep(0.005)
        return killed

    async def caller(name: int) -> list[Appended]:
        return [
            await store.append(append(write(f"{name}", n), write("log", -1))) for n in range(25)
        ]

    killing = asyncio.create_task(kill())
    answers = await asyncio.gather(*map(caller, range(20)))
    done.set()
    assert await killing > 0
    await killer.close()
    recorded = await store.read_all(0, 10_000)
    assert [e.position for e in recorded] == list(range(1, 1001))
    assert sorted(a.last for many in answers for a in many) == list(range(2, 1001, 2))


async def test_two_processes_share_one_log(store: EventStore, database: Database) -> None:
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable,
            str(HERE / "toy_writer.py"),
            database.app_dsn,
            name,
            "40",
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(HERE.parents[1])},
        )
        for name in ("one", "two")
    ]
    outputs = [(await process.communicate())[0].decode() for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    claimed = sorted(
        position
        for output in outputs
        for first, last in (map(int, line.split()) for line in output.splitlines())
        for position in range(first, last + 1)
    )
    recorded = await store.read_all(0, 100_000)
    assert [e.position for e in recorded] == claimed == list(range(1, len(recorded) + 1))
    for stream in ("hot-0", "hot-1", "hot-2"):
        events = await store.read_stream(stream)
        assert [e.version for e in events] == list(range(1, len(events) + 1))


async def test_closing_commits_what_callers_wait_for(database: Database) -> None:
    await migrate(database.owner_dsn, database.app_role)
    store = await EventStore.open(database.app_dsn, service="custody")
    waiting = [asyncio.create_task(store.append(append(write(f"{n}")))) for n in range(50)]
    await asyncio.sleep(0)
    await store.close()
    assert len({(await done).last for done in waiting}) == 50
    with pytest.raises(Unavailable):
        await store.append(append(write("late")))
