"""Moving the simulated clock: a fact of the service's own log, never backwards."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import ClassVar

from shared.contracts.base import EVENT_TYPES, Event, Instant
from shared.errors import Refused
from shared.eventstore import Command, Context

STREAM = "clock"


class ClockBackwards(Refused):
    code = "clock-backwards"
    title = "The clock never goes backwards"


class MoveClock(Command):
    """Move the business clock to a later time. Exists on a simulated clock only."""

    name: ClassVar[str] = "move-clock"
    roles: ClassVar[frozenset[str]] = frozenset({"clock"})
    to: Instant

    def streams(self) -> tuple[str, ...]:
        return (STREAM,)


class ClockDecider:
    """State: where the clock stands, None before it was first moved."""

    def __init__(self, service: str, cell: str, start: datetime) -> None:
        self._moved = EVENT_TYPES[moved_type(service)]
        self._cell = cell
        self._start = start

    def initial(self, stream: str) -> datetime | None:
        return None

    def evolve(self, state: datetime | None, event: Event) -> datetime:
        return event.to  # type: ignore[attr-defined]

    def decide(
        self, command: Command, states: Mapping[str, datetime | None], context: Context
    ) -> Sequence[Event]:
        assert isinstance(command, MoveClock)
        stands = states[STREAM] or self._start
        if command.to < stands:
            raise ClockBackwards(f"It stands at {stands.isoformat()}", now=stands.isoformat())
        if command.to == states[STREAM]:
            return []
        return [self._moved(region=self._cell, to=command.to)]

    def regions(self, command: Command, states: Mapping[str, datetime | None]) -> Iterable[str]:
        return (self._cell,)


def moved_type(service: str) -> str:
    return f"{service}.clock-moved.v1"
