"""Replacements: requested for what is damaged or missing, supplied from a site."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from services.inventory.domain import sites
from services.inventory.domain.errors import AlreadyExists, WrongState
from services.inventory.domain.ids import Name
from shared.contracts.base import Event, Id, RegionCode
from shared.contracts.inventory import ReplacementRequested, ReplacementSupplied
from shared.errors import NotFound
from shared.eventstore.command import Command


@dataclass(frozen=True, slots=True)
class Replacement:
    requested: ReplacementRequested | None = None
    supplied: bool = False


class RequestReplacement(Command):
    """Ask for a replacement of `subject` (unit or polling station) because of `cause`."""

    name: ClassVar[str] = "request-replacement"
    roles: ClassVar[frozenset[str]] = frozenset({"operator", "service"})

    region: RegionCode
    replacement: Id
    subject: Id
    cause: Id

    def streams(self) -> tuple[str, ...]:
        return (stream(self.replacement),)


class SupplyReplacement(Command):
    """The replacement left `from_site`."""

    name: ClassVar[str] = "supply-replacement"
    roles: ClassVar[frozenset[str]] = frozenset({"operator"})

    replacement: Id
    from_site: Name

    def streams(self) -> tuple[str, ...]:
        return (stream(self.replacement), sites.stream(self.from_site))


def stream(replacement: str) -> str:
    return f"replacement-{replacement}"


def request_replacement(
    command: RequestReplacement, states: Mapping[str, Any], context: Any
) -> Sequence[Event]:
    """The same request once more is no news."""
    event = ReplacementRequested(**command.model_dump(exclude={"occurred_at"}))
    known = states[stream(command.replacement)].requested
    if known is None:
        return (event,)
    if known == event:
        return ()
    raise AlreadyExists(f"Replacement {command.replacement} was requested for another cause.")


def supply_replacement(
    command: SupplyReplacement, states: Mapping[str, Any], context: Any
) -> Sequence[Event]:
    sites.ready(states, command.from_site)
    replacement: Replacement = states[stream(command.replacement)]
    if replacement.requested is None:
        raise NotFound(f"Replacement {command.replacement} was not requested.")
    if replacement.supplied:
        raise WrongState(f"Replacement {command.replacement} was supplied already.")
    return (
        ReplacementSupplied(
            region=replacement.requested.region,
            replacement=command.replacement,
            from_site=command.from_site,
        ),
    )


def evolve(state: Replacement, event: Event) -> Replacement:
    match event:
        case ReplacementRequested():
            return Replacement(event, state.supplied)
        case ReplacementSupplied():
            return Replacement(state.requested, supplied=True)
    return state
