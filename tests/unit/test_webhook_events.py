"""The facts to be sent: put into words once, and kept as far as there is room."""

from types import SimpleNamespace
from typing import Any

import pytest

from services.exchange.webhooks import events
from services.exchange.webhooks.events import Events


class Log:
    """Every fact of it is as long."""

    def __init__(self) -> None:
        self.read: list[int] = []

    async def read_all(self, after: int, limit: int) -> list[Any]:
        self.read.append(after + 1)
        return [SimpleNamespace(type="t", metadata=SimpleNamespace(traceparent=""))]


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Log:
    monkeypatch.setattr(events, "MOST_BYTES", 250)
    monkeypatch.setattr(events.message, "body", lambda event, source: b"x" * 100)
    return Log()


async def test_a_fact_is_read_once_for_all_its_endpoints(log: Log) -> None:
    kept = Events(log, "/kawal")
    assert [len((await kept.at(1)).body) for _ in range(3)] == [100] * 3
    assert log.read == [1]


async def test_the_oldest_give_way_where_there_is_no_more_room(log: Log) -> None:
    kept = Events(log, "/kawal")
    for position in (1, 2, 3, 3, 2, 1):
        await kept.at(position)
    assert log.read == [1, 2, 3, 1]


async def test_a_fact_that_is_longer_than_the_room_is_read_whenever_it_is_sent(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "MOST_BYTES", 50)
    kept = Events(log, "/kawal")
    for _ in range(2):
        assert len((await kept.at(1)).body) == 100
    assert log.read == [1, 1]
