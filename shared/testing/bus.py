"""For tests of the bus: a NATS server that may be killed and wiped, and a log kept in memory."""

import asyncio
import os
import shutil
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from shared.bus.connection import Client, connect
from shared.bus.feed import Feed
from shared.bus.message import Message
from shared.bus.relay import Relay
from shared.contracts.base import canonical
from shared.eventstore import Recorded
from shared.testing.nats import Nats
from shared.testing.process import LOOPBACK, ProcessId, free_port


def entry(position: int, data: bytes = b"{}", **meta: object) -> Recorded:
    known = {
        "actor": "P-1",
        "agency": "KPU",
        "causation": None,
        "correlation": None,
        "occurred_at": "2024-02-13T01:02:03Z",
        "region": "31.71.01",
        "regions": ["31.71.01", "31.73"],
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    }
    return Recorded(
        position,
        uuid4(),
        f"unit-BOX-{position}",
        1,
        "custody.unit-sealed.v1",
        data,
        canonical(known | meta),
        datetime.now(UTC),
        uuid4(),
    )


@dataclass
class MemoryLog:
    """What the relay needs of an event store, without one."""

    entries: list[Recorded] = field(default_factory=list)
    log: UUID = field(default_factory=uuid4)
    on_append: list[Callable[[int], None]] = field(default_factory=list)

    def grow(self, count: int) -> None:
        first = len(self.entries) + 1
        self.entries += [
            entry(position, canonical({"n": position})) for position in range(first, first + count)
        ]
        for notify in self.on_append:
            notify(len(self.entries))

    async def read_all(self, after: int, limit: int) -> list[Recorded]:
        return self.entries[after : after + limit]

    async def position(self) -> int:
        return len(self.entries)

    async def log_id(self) -> UUID:
        return self.log

    async def renew_log_id(self) -> UUID:
        self.log = uuid4()
        return self.log


@dataclass
class Bus:
    """A NATS server of one test."""

    server: Nats
    process: ProcessId | None = None
    config: str = ""

    def start(self) -> None:
        config = self.config or self.server.simple_config("test", "secret")
        self.process = self.server.start(config)

    def kill(self) -> None:
        os.kill(self.process.pid, signal.SIGKILL)
        while self.process.alive():
            pass

    def wipe(self) -> None:
        shutil.rmtree(self.server.store)

    def restart(self, *, wiped: bool = False) -> None:
        self.kill()
        if wiped:
            self.wipe()
        self.start()

    @property
    def url(self) -> str:
        return f"nats://{LOOPBACK}:{self.server.port}"

    async def connect(self, user: str = "test", password: str = "secret") -> Client:
        return await connect(self.url, user, password, f"test-{user}", patience=10)

    @asynccontextmanager
    async def relaying(self, log: MemoryLog, **options: object) -> AsyncIterator[Relay]:
        client = await self.connect()
        relay = Relay(log, client, "custody", "31", **options)
        running = asyncio.create_task(relay.run())
        try:
            yield relay
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await client.close()


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[Bus]:
    made = Bus(Nats(tmp_path / "nats", free_port()))
    made.start()
    yield made
    made.kill()


async def read_to(feed: Feed, position: int, seconds: float = 20) -> list[Message]:
    """What a feed brings until it stands at `position`."""
    messages: list[Message] = []
    async with asyncio.timeout(seconds):
        while feed.position < position or not messages:
            messages += await feed.batch(0.5)
    return messages + await feed.batch(0.05)


async def until(done: Callable[[], bool], seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not done():
            await asyncio.sleep(0.01)
