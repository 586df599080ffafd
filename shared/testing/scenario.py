"""Given past events, when a command arrives, then these events or this refusal: a decider's tests.

given(printed, sealed, by=decider).when(HandOver(...)).then(HandedOver(...))
given(printed, by=decider).when(HandOver(...)).then(NotTheCustodian)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from shared.contracts.base import Event
from shared.errors import Refused


class Decider(Protocol):
    """What a scenario needs of a decider: the pure part of a service."""

    def initial(self, stream: str) -> Any: ...

    def evolve(self, state: Any, event: Event) -> Any: ...

    def decide(self, command: Any, states: Mapping[str, Any], context: Any) -> Sequence[Event]: ...


@dataclass(frozen=True)
class Outcome:
    """What a command led to: its events, or the refusal."""

    events: tuple[Event, ...]
    refusal: Refused | None
    states: Mapping[str, Any]

    def then(self, *expected: Event | type[Refused] | Refused) -> "Outcome":
        """Exactly these events in this order, or a refusal of this type (an instance: and text)."""
        if len(expected) == 1 and _is_refusal(expected[0]):
            self._refused(expected[0])
        else:
            assert self.refusal is None, f"refused: {self.refusal!r}, expected {expected!r}"
            assert self.events == expected, f"decided {self.events!r}, expected {expected!r}"
        return self

    def then_nothing(self) -> "Outcome":
        """Accepted, and nothing happened."""
        return self.then()

    def _refused(self, expected: Any) -> None:
        kind = expected if isinstance(expected, type) else type(expected)
        assert isinstance(self.refusal, kind), (
            f"expected {expected!r}, got {self.refusal or self.events!r}"
        )
        if not isinstance(expected, type):
            assert str(self.refusal) == str(expected)


@dataclass(frozen=True)
class Scenario:
    """Facts that happened, and the decider that is asked next."""

    decider: Decider
    past: tuple[Event, ...]

    def when(self, command: Any, context: Any = None) -> Outcome:
        states = {stream: self._state(stream) for stream in command.streams()}
        try:
            events = tuple(self.decider.decide(command, states, context))
        except Refused as refusal:
            return Outcome((), refusal, states)
        return Outcome(events, None, states)

    def state(self, stream: str) -> Any:
        """The state of a stream after the given events."""
        return self._state(stream)

    def _state(self, stream: str) -> Any:
        state = self.decider.initial(stream)
        for event in self.past:
            if event.stream == stream:
                state = self.decider.evolve(state, event)
        return state


def given(*past: Event, by: Decider) -> Scenario:
    """The events that happened before, of any streams, in their order."""
    return Scenario(by, past)


def _is_refusal(expected: Any) -> bool:
    return isinstance(expected, Refused) or (
        isinstance(expected, type) and issubclass(expected, Refused)
    )
