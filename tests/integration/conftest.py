"""Fixtures of the integration tests."""

from collections.abc import AsyncIterator

import pytest

from shared.eventstore import EventStore, migrate
from shared.testing.provision import Database


@pytest.fixture
async def store(database: Database) -> AsyncIterator[EventStore]:
    """An empty event store of custody, opened with the application's role."""
    await migrate(database.owner_dsn, database.app_role)
    async with await EventStore.open(database.app_dsn, service="custody") as opened:
        yield opened


@pytest.fixture
def loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Webhooks may go to this machine, where the tests' receivers are."""
    monkeypatch.setenv("KAWAL_WEBHOOK_LOOPBACK", "true")
