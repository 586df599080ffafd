"""Commands, who gives them, and what decides on them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Protocol
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict

from shared.contracts.base import Event

EVERYWHERE = "*"
_LEVELS = (2, 5, 8, 13)  # lengths of 31, 31.71, 31.71.01, 31.71.01.1001


class Command(BaseModel):
    """A wish to change something. `name` is the segment of its address, in kebab case.

    One of `roles` is needed to give it; an empty set admits every role.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: ClassVar[str]
    roles: ClassVar[frozenset[str]] = frozenset()

    occurred_at: AwareDatetime | None = None
    """When it happened in the field; without it, the time of its arrival."""

    def streams(self) -> tuple[str, ...]:
        """Every stream that its decision reads or writes."""
        raise NotImplementedError(self.name)

    def told(self, events: Sequence[Event]) -> Mapping[str, Any]:
        """What is answered beside the position, now and whenever the command is repeated."""
        return {}


@dataclass(frozen=True, slots=True)
class Context:
    """Who acts, with which rights, at what time of the business clock.

    `jurisdiction` holds region codes, each with all below it, or "*"; `roles` may hold "*" too.
    `facts` are the service's own look-ups that the decision needs.
    """

    now: datetime
    actor: str
    agency: str
    roles: frozenset[str]
    jurisdiction: frozenset[str]
    facts: Any = None

    def covers(self, region: str) -> bool:
        """Whether the jurisdiction contains the region."""
        codes = self.jurisdiction
        return EVERYWHERE in codes or any(region[:length] in codes for length in _LEVELS)

    def may(self, command: Command) -> bool:
        """Whether one of the roles admits the command."""
        needed = command.roles
        return not needed or EVERYWHERE in self.roles or not needed.isdisjoint(self.roles)


@dataclass(frozen=True, slots=True)
class Request:
    """A command with its identity; `fingerprint` tells its content from that of another."""

    command: Command
    command_id: UUID
    fingerprint: bytes
    context: Context
    correlation_id: UUID | None = None
    causation_id: UUID | None = None
    traceparent: str = ""


Asked = tuple[Request, tuple[str, ...]]
"""A request and the streams that its command names."""


class Decider(Protocol):
    """The rules of a service, pure: no clock, no random, no I/O."""

    def initial(self, stream: str) -> Any:
        """The state of a stream without events."""

    def evolve(self, state: Any, event: Event) -> Any:
        """The state after an event, as a new value."""

    def decide(
        self, command: Command, states: Mapping[str, Any], context: Context
    ) -> Sequence[Event]:
        """The events that the command brings about; raises `Refused`."""

    def regions(self, command: Command, states: Mapping[str, Any]) -> Iterable[str]:
        """The regions that the actor's jurisdiction must cover."""
