"""The relay on a real store: wakes at once, survives Postgres, waits its turn, sees a restore."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
from toy_boxes import append, write

from shared.bus.feed import Feed
from shared.bus.lead import Lead
from shared.bus.relay import Relay
from shared.bus.wake import Announcer
from shared.eventstore import EventStore, Unavailable, migrate
from shared.testing.bus import Bus, read_to, until
from shared.testing.fixtures import PostgresForTests
from shared.testing.postgres import Postgres
from shared.testing.process import free_port
from shared.testing.provision import Database, provision


@asynccontextmanager
async def relaying(bus: Bus, store: EventStore, lead: Lead | None = None) -> AsyncIterator[Relay]:
    async with bus.relaying(store, lead=lead) as relay:
        yield relay


async def grow(store: EventStore, name: str, count: int) -> int:
    """`count` commands of one event each; the last position."""
    done = await store.append_many([append(write(f"unit-{name}-{n}", 0)) for n in range(count)])
    return done[-1].last


async def is_a_copy(bus: Bus, store: EventStore) -> None:
    stored = await store.read_all(0, 100_000)
    client = await bus.connect()
    async with Feed(client, "CUSTODY_31") as feed:
        messages = await read_to(feed, len(stored))
    await client.close()
    assert [(m.position, m.id, m.data) for m in messages] == [
        (e.position, e.id, e.data) for e in stored
    ]
    assert {m.log_id for m in messages} == {await store.log_id()}
    assert [m.actor for m in messages] == [e.metadata.actor for e in stored]


async def test_an_append_wakes_the_relay_in_process_and_by_hint(
    bus: Bus, store: EventStore, database: Database
) -> None:
    client = await bus.connect()
    async with await EventStore.open(database.app_dsn, service="custody") as elsewhere:
        elsewhere.on_append.append(Announcer(client, "custody"))
        async with relaying(bus, store) as relay:
            await grow(store, "A", 1)
            await until(lambda: relay.published == 1)
            for number, one in enumerate((store, elsewhere) * 5, 2):
                begun = asyncio.get_running_loop().time()
                await grow(one, f"B{number}", 1)
                await until(lambda number=number: relay.published == number)
                assert asyncio.get_running_loop().time() - begun < 0.5
    await is_a_copy(bus, store)
    await client.close()


async def test_the_second_relay_takes_over_when_the_first_ends(
    bus: Bus, store: EventStore, database: Database
) -> None:
    def lead() -> Lead:
        return Lead(database.app_dsn, "relay-custody")

    async with relaying(bus, store, lead()) as first:
        await grow(store, "A", 10)
        await until(lambda: first.published == 10)
        async with relaying(bus, store, lead()) as second:
            await grow(store, "B", 10)
            await until(lambda: first.published == 20)
            assert second.published == 0
            admin = await asyncpg.connect(database.owner_dsn)
            sessions = "select pid from pg_locks where locktype = 'advisory' and granted"
            [leader] = [row["pid"] for row in await admin.fetch(sessions)]
            app = await asyncpg.connect(database.app_dsn)
            await app.execute("select pg_terminate_backend($1)", leader)
            await app.close()
            await admin.close()
            await until(lambda: second.published == 20)
            await grow(store, "C", 10)
            await until(lambda: 30 in (first.published, second.published))
    await is_a_copy(bus, store)


async def test_postgres_killed_during_traffic(bus: Bus, tmp_path: Path) -> None:
    server = Postgres(tmp_path / "postgres", free_port(), "secret", attached=True)
    process = server.start()
    admin = await asyncpg.connect(server.dsn())
    database = await provision(server, admin, "custody", ("owner", "app"))
    await admin.close()
    await migrate(database.owner_dsn, database.app_role)
    lead = Lead(database.app_dsn, "relay-custody")
    try:
        async with await EventStore.open(database.app_dsn, service="custody") as store:
            async with relaying(bus, store, lead) as relay:
                await grow(store, "before", 300)
                writing = asyncio.create_task(grow(store, "during", 2_000))
                await asyncio.sleep(0.02)
                os.kill(process.pid, signal.SIGKILL)
                await asyncio.sleep(0.3)
                process = server.start()
                try:
                    await writing
                except Unavailable:
                    await grow(store, "again", 10)
                last = await store.position()
                await until(lambda: relay.published == last, 30)
            await is_a_copy(bus, store)
    finally:
        server.stop(process)


async def test_a_database_restored_from_an_older_copy_begins_a_new_epoch(
    bus: Bus, store: EventStore, database: Database, postgres: PostgresForTests
) -> None:
    async with relaying(bus, store) as relay:
        await grow(store, "A", 100)
        await until(lambda: relay.published == 100)
    await store.close()
    backup = await asyncio.to_thread(postgres.create, database.name)
    async with await EventStore.open(database.app_dsn, service="custody") as going_on:
        async with relaying(bus, going_on) as relay:
            await grow(going_on, "B", 50)
            await until(lambda: relay.published == 150)
        lost = await going_on.log_id()
    async with await EventStore.open(backup.app_dsn, service="custody") as restored:
        assert await restored.log_id() == lost
        await grow(restored, "C", 80)
        async with relaying(bus, restored) as relay:
            await until(lambda: relay.published == 180)
        assert await restored.log_id() != lost
        await is_a_copy(bus, restored)
    await asyncio.to_thread(postgres.drop, backup)
