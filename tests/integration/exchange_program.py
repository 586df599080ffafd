"""The exchange as a program of its own that sends webhooks, and may be killed at any time."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import asyncpg
import orjson
from webhook_receiver import POLDA

from services.exchange.webhooks import signing
from services.exchange.webhooks.queries import SQL
from shared import eventstore, projection
from shared.contracts.exchange import EndpointRegistered
from shared.eventstore import Append, EventStore, Expected, Metadata, NewEvent, Write, uuid7
from shared.testing.bus import Bus
from shared.testing.process import free_port
from shared.testing.provision import Database

ROOT = Path(__file__).parent.parent.parent


@dataclass
class Program:
    """`python -m services.exchange` on its database; `store` is the same log, from outside."""

    database: Database
    bus: Bus
    store: EventStore
    settings: dict[str, str] = field(default_factory=dict)
    process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("KAWAL_")}
        known = {
            "KAWAL_DATABASE_URL": self.database.app_dsn,
            "KAWAL_NATS_URL": self.bus.url,
            "KAWAL_NATS_USER": "test",
            "KAWAL_NATS_PASSWORD": "secret",
            "KAWAL_PORT": str(free_port()),
            "KAWAL_WEBHOOK_LOOPBACK": "true",
            "KAWAL_WEBHOOK_POLL": "0.1",
            "PYTHONPATH": str(ROOT),
        }
        self.process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "services.exchange"),
            cwd=ROOT,
            env=kept | known | self.settings,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )

    async def kill(self) -> None:
        """`kill -9`."""
        if self.process is not None and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()

    async def register(self, urls: Iterable[str], agencies: Iterable[str] = (POLDA,)) -> None:
        """An endpoint of each agency at each URL, by pairs, each with a secret."""
        described = [
            EndpointRegistered(
                region="31",
                endpoint=f"E-{number}",
                agency=agency,
                url=url,
                topics=("departure",),
                within=(),
            )
            for number, (url, agency) in enumerate(zip(urls, agencies, strict=True))
        ]
        writes = tuple(
            Write(
                event.stream,
                Expected.NONE,
                (NewEvent(uuid7(), event.type, event.encode(), event.region, event.regions),),
            )
            for event in described
        )
        said = Metadata("P-1", "KPU", datetime.now(UTC), None, None, "")
        await self.store.append(Append(uuid4(), b"test", writes, {}, said))
        connection = await asyncpg.connect(self.database.app_dsn)
        await SQL.prepare(connection)
        for event in described:
            made = {"secret": signing.new_secret(), "overlap": 0}
            await SQL.add_secret(connection, endpoint=event.endpoint, **made)
        await connection.close()


@asynccontextmanager
async def program(database: Database, bus: Bus, schedule: list[float]) -> AsyncIterator[Program]:
    """The program, not started yet; it is killed in the end."""
    await eventstore.migrate(database.owner_dsn, database.app_role)
    await projection.migrate(database.owner_dsn, database.app_role)
    settings = {"KAWAL_WEBHOOK_SCHEDULE": orjson.dumps(schedule).decode()}
    async with await EventStore.open(database.app_dsn, service="exchange") as store:
        made = Program(database, bus, store, settings)
        try:
            yield made
        finally:
            await made.kill()
