"""pytest fixtures: one Postgres and one NATS for the whole run, a fresh database for each test."""

import asyncio
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

import asyncpg
import pytest

from shared.testing.nats import Nats
from shared.testing.postgres import Postgres
from shared.testing.process import free_port
from shared.testing.provision import Database, drop, provision


@dataclass
class PostgresForTests:
    """The session's server, with one administrator's connection in an event loop of its own."""

    server: Postgres
    admin: asyncpg.Connection
    loop: asyncio.AbstractEventLoop
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def create(self, template: str = "template1", name: str | None = None) -> Database:
        """A database with its two roles, a copy of `template` (to which nobody is connected)."""
        name = name or f"test_{next(self.numbers)}"
        made = provision(
            self.server,
            self.admin,
            name,
            ("owner-secret", "app-secret"),
            roles="test",
            template=template,
        )
        return self.loop.run_until_complete(made)

    def drop(self, database: Database) -> None:
        self.loop.run_until_complete(drop(self.admin, database.name))


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresForTests]:
    """A real Postgres, fsync on; `.create()` makes further databases, `.server` is its starter."""
    server = Postgres(
        tmp_path_factory.mktemp("postgres"), free_port(), secrets.token_hex(8), attached=True
    )
    process = server.start()
    loop = asyncio.new_event_loop()
    admin = loop.run_until_complete(asyncpg.connect(server.dsn()))
    yield PostgresForTests(server, admin, loop)
    loop.run_until_complete(admin.close())
    loop.close()
    server.stop(process)


@pytest.fixture
def database(postgres: PostgresForTests) -> Iterator[Database]:
    """An empty database of this test alone: `.owner_dsn` migrates, `.app_dsn` works in it."""
    made = postgres.create()
    yield made
    postgres.drop(made)


@pytest.fixture(scope="session")
def nats_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nats]:
    """A real NATS with JetStream and one user who may do everything; `nats_url` connects to it."""
    server = Nats(tmp_path_factory.mktemp("nats"), free_port(), attached=True)
    process = server.start(server.simple_config("test", "test-secret"))
    yield server
    server.stop(process)


@pytest.fixture
def nats_url(nats_server: Nats) -> str:
    """The session's NATS with user and password. Streams outlive a test: name yours."""
    return f"nats://test:test-secret@127.0.0.1:{nats_server.port}"
