"""Now, in business: real time, or where the simulator has put it."""

from datetime import UTC, datetime
from typing import Protocol

import orjson

from shared.clock.moving import STREAM, moved_type
from shared.eventstore import EventStore


class BusinessClock(Protocol):
    kind: str

    def now(self) -> datetime:
        """The business time, aware, in UTC."""

    async def refresh(self) -> bool:
        """Looks whether another process has moved it; True if so."""


class RealClock:
    kind = "real"

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def refresh(self) -> bool:
        return False


class SimulatedClock:
    """Stands still until moved; its last position is the last event of the stream `clock`."""

    kind = "simulated"

    def __init__(self, service: str, start: datetime) -> None:
        self._type = moved_type(service)
        self._now = start.astimezone(UTC)
        self._version = 0
        self.store: EventStore | None = None

    def now(self) -> datetime:
        return self._now

    async def refresh(self) -> bool:
        if self.store is None:
            return False
        moves = await self.store.read_stream(STREAM, after=self._version)
        for move in moves:
            self._version = move.version
            self._now = max(self._now, _time(move.data))
        return bool(moves)


def _time(data: bytes) -> datetime:
    return datetime.fromisoformat(orjson.loads(data)["to"]).astimezone(UTC)
