"""The embedded servers: real, on loopback, a password per role, killed and started again."""

import os
import signal
from pathlib import Path

import asyncpg
import nats
import pytest

from shared.testing import identity
from shared.testing.fixtures import PostgresForTests
from shared.testing.nats import Nats
from shared.testing.postgres import Postgres
from shared.testing.process import ProcessId, StartFailed, free_port
from shared.testing.provision import Database


async def test_the_app_role_works_in_its_database_and_owns_nothing(database: Database) -> None:
    app = await asyncpg.connect(database.app_dsn)
    assert await app.fetchval("show fsync") == "on"
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await app.execute("create table mine (id int)")
    await app.close()


async def test_nobody_reads_another_services_database(
    database: Database, postgres: PostgresForTests
) -> None:
    stranger = postgres.server.dsn(database.name, "stranger_app", "stranger-secret")
    other = await asyncpg.connect(postgres.server.dsn())
    await other.execute("create role stranger_app login password 'stranger-secret'")
    await other.close()
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await asyncpg.connect(stranger)


async def test_a_wrong_password_is_refused(postgres: PostgresForTests) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(postgres.server.dsn(password="guess"))


def test_a_killed_postgres_starts_again(tmp_path: Path) -> None:
    folder = tmp_path / ("a folder whose path is longer than a socket's may be " * 3)
    folder.mkdir(mode=0o700, parents=True)
    server = Postgres(folder / "postgres", free_port(), "secret")
    first = server.start()
    os.kill(first.pid, signal.SIGKILL)
    second = server.start()
    assert second.alive() and not first.alive()
    assert server.stop(second)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become someone else")
@pytest.mark.parametrize("forbidden", ["", "unshare"])
def test_as_root_it_runs_in_another_users_closed_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forbidden: str
) -> None:
    works = identity._works
    monkeypatch.setattr(
        identity, "_works", lambda who, *rest: who.prefix[0] != forbidden and works(who, *rest)
    )
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    os.chown(closed, 12345, 12345)
    server = Postgres(closed / "postgres", free_port(), "secret", attached=True)
    process = server.start()
    assert server.stop(process)
    assert (closed.stat().st_uid, closed.stat().st_mode & 0o777) == (12345, 0o700)


def test_a_port_in_use_is_named_in_the_error(tmp_path: Path, postgres: PostgresForTests) -> None:
    with pytest.raises(StartFailed, match="did not start"):
        Postgres(tmp_path / "postgres", postgres.server.port, "secret").start()


async def test_nats_keeps_a_stream_and_refuses_the_anonymous(
    nats_url: str, nats_server: Nats
) -> None:
    connection = await nats.connect(nats_url)
    await connection.jetstream().add_stream(name="SERVERS", subjects=["servers.>"])
    assert (await connection.jetstream().publish("servers.one", b"1")).seq == 1
    await connection.close()
    with pytest.raises(nats.errors.Error):
        await nats.connect(f"nats://127.0.0.1:{nats_server.port}", allow_reconnect=False)


def test_a_reused_pid_is_another_process() -> None:
    me = ProcessId.of(os.getpid())
    assert me is not None and me.alive()
    assert not ProcessId(me.pid, "another boot:1").alive()
    assert ProcessId(me.pid, "another boot:1").stop()
