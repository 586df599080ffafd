"""A polling station: what is registered, what it needs, whether its polling is postponed."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from sys import intern
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple

from services.inventory.domain.errors import WrongState
from services.inventory.domain.ids import TpsId, kelurahan_of
from shared.contracts.base import Event, Text
from shared.contracts.inventory import (
    BallotKind,
    NeedsCalculated,
    PollingPostponed,
    PollingStationRegistered,
)
from shared.errors import NotFound
from shared.eventstore.command import Command


class Needs(NamedTuple):
    """Most stations need the same, so they share the mappings."""

    voters: int
    ballots: Mapping[BallotKind, int]
    dapil: Mapping[BallotKind, str]
    items: Mapping[str, int]


class Station(NamedTuple):
    """Of the registration, what its id does not say; `source` None: there was none yet."""

    voters: int = 0
    source: str | None = None
    needs: Needs | None = None
    postponed: bool = False


class PostponePolling(Command):
    """Voting at this station does not take place on voting day."""

    name: ClassVar[str] = "postpone-polling"
    roles: ClassVar[frozenset[str]] = frozenset({"operator"})

    tps: TpsId
    reason: Text

    def streams(self) -> tuple[str, ...]:
        return (stream(self.tps),)


def stream(tps: str) -> str:
    return f"tps-{tps}"


def postpone_polling(
    command: PostponePolling, states: Mapping[str, Any], context: Any
) -> Sequence[Event]:
    station = require(states, command.tps)
    if station.postponed:
        raise WrongState(f"Polling at {command.tps} is postponed already.")
    region = kelurahan_of(command.tps)
    return (PollingPostponed(region=region, tps=command.tps, reason=command.reason),)


def evolve(state: Station, event: Event) -> Station:
    match event:
        case PollingStationRegistered():
            return state._replace(voters=event.voters, source=intern(event.source))
        case NeedsCalculated():
            shared = (event.ballots, event.dapil, event.items)
            return state._replace(needs=Needs(event.voters, *map(_shared, shared)))
        case PollingPostponed():
            return state._replace(postponed=True)
    return state


def _shared(mapping: Mapping[str, Any]) -> Mapping[Any, Any]:
    return _one_of(tuple(mapping.items()))


@lru_cache(maxsize=4_096)
def _one_of(items: tuple[tuple[str, Any], ...]) -> Mapping[str, Any]:
    return MappingProxyType(dict(items))


def require(states: Mapping[str, Any], tps: str) -> Station:
    """The station's state with its needs, or `NotFound`."""
    state: Station = states[stream(tps)]
    if state.source is None or state.needs is None:
        raise NotFound(f"Polling station {tps} is not registered.")
    return state
