"""Reading, the log's identity, snapshots, and what the database itself refuses."""

import asyncpg
import pytest
from toy_boxes import append, write

from shared.eventstore import EventStore, migrate
from shared.testing.provision import Database


async def test_a_stream_is_read_after_a_version_and_up_to_a_limit(store: EventStore) -> None:
    await store.append(append(write("a", count=5)))
    assert [e.version for e in await store.read_stream("a", after=2)] == [3, 4, 5]
    assert [e.version for e in await store.read_stream("a", after=1, limit=2)] == [2, 3]
    assert await store.read_stream("unknown") == []


async def test_the_log_is_read_in_pages(store: EventStore) -> None:
    await store.append(append(write("a", count=7)))
    assert [e.position for e in await store.read_all(0, 3)] == [1, 2, 3]
    assert [e.position for e in await store.read_all(6, 3)] == [7]
    assert await store.read_all(7, 3) == []


async def test_a_snapshot_is_kept_until_a_newer_one_or_another_schema(store: EventStore) -> None:
    await store.save_snapshot("stock-1", 10, "v1", b"ten")
    await store.save_snapshot("stock-1", 5, "v1", b"five")
    snapshots = await store.read_snapshots(["stock-1", "stock-2"])
    assert [(s.version, s.data) for s in snapshots.values()] == [(10, b"ten")]
    await store.save_snapshot("stock-1", 7, "v2", b"seven")
    assert (await store.read_snapshots(["stock-1"]))["stock-1"].schema == "v2"


async def test_the_log_has_an_identity_that_a_restore_renews(store: EventStore) -> None:
    first = await store.log_id()
    assert await store.log_id() == first
    second = await store.renew_log_id()
    assert second != first
    assert await store.log_id() == second


@pytest.mark.parametrize("role", ["owner", "app"])
@pytest.mark.parametrize(
    "statement",
    [
        "update eventstore.event set data = 'x'",
        "delete from eventstore.event",
        "truncate eventstore.event",
        "update eventstore.command set result = 'x'",
        "delete from eventstore.command",
        "truncate eventstore.command",
        "delete from eventstore.log",
    ],
)
async def test_the_database_refuses_to_change_what_is_stored(
    store: EventStore, database: Database, role: str, statement: str
) -> None:
    await store.append(append(write("a")))
    connection = await asyncpg.connect(getattr(database, f"{role}_dsn"))
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    finally:
        await connection.close()
    assert len(await store.read_all(0, 9)) == 1


@pytest.mark.parametrize(
    "statement",
    [
        "alter table eventstore.event disable trigger all",
        "drop table eventstore.event",
        "create table eventstore.other (n integer)",
        "call eventstore.admit('test_app')",
    ],
)
async def test_the_applications_role_cannot_change_the_schema(
    store: EventStore, database: Database, statement: str
) -> None:
    connection = await asyncpg.connect(database.app_dsn)
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    finally:
        await connection.close()


async def test_migrating_again_changes_nothing(database: Database) -> None:
    assert await migrate(database.owner_dsn, database.app_role) == [
        "tables",
        "append_v1",
        "append_v2",
    ]
    assert await migrate(database.owner_dsn, database.app_role) == []
