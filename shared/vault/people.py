"""What the log says of persons: that a record of them is kept, its salted hash, and its end."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, StringConstraints

from shared.contracts.base import EVENT_TYPES, Event, Id, RegionCode, Sha256, canonical
from shared.errors import NotFound
from shared.eventstore import Command, Context

ROLES = frozenset({"registrar", "admin"})
Line = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]


class Record(BaseModel):
    """What the vault keeps of a person: never in an event, a log or a trace."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Line
    position: Annotated[str, StringConstraints(max_length=200, strip_whitespace=True)] = ""
    phone: Annotated[str, StringConstraints(max_length=40, pattern=r"^[0-9+() \-]*$")] = ""

    def encode(self) -> bytes:
        return canonical(self.model_dump())


class PersonCommand(Command):
    roles: ClassVar[frozenset[str]] = ROLES

    person: Id

    def streams(self) -> tuple[str, ...]:
        return (f"person-{self.person}",)


class RegisterPerson(PersonCommand):
    """The vault keeps a record of the person; `record_sha256` is its salted hash."""

    name: ClassVar[str] = "register-person"

    region: RegionCode
    record_sha256: Sha256


class ForgetPerson(PersonCommand):
    """Record and salt are deleted; what the log says can no longer be tied to anybody."""

    name: ClassVar[str] = "forget-person"


class PeopleDecider:
    """State: the registration of a person, None before it and after the person is forgotten."""

    def __init__(self, service: str) -> None:
        self._registered = EVENT_TYPES[f"{service}.person-registered.v1"]
        self._forgotten = EVENT_TYPES[f"{service}.person-forgotten.v1"]

    def initial(self, stream: str) -> Event | None:
        return None

    def evolve(self, state: Event | None, event: Event) -> Event | None:
        return event if isinstance(event, self._registered) else None

    def decide(
        self, command: Command, states: Mapping[str, Any], context: Context
    ) -> Sequence[Event]:
        [known] = states.values()
        if isinstance(command, RegisterPerson):
            fields = command.model_dump(exclude={"occurred_at"})
            registered = self._registered(**fields)
            return () if registered == known else (registered,)
        assert isinstance(command, ForgetPerson)
        if known is None:
            raise NotFound(f"Nobody is registered as {command.person}.")
        return (self._forgotten(region=known.region, person=command.person),)

    def regions(self, command: Command, states: Mapping[str, Any]) -> Iterable[str]:
        if isinstance(command, RegisterPerson):
            yield command.region
        yield from (known.region for known in states.values() if known is not None)
