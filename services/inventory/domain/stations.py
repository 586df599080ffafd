"""A polling station: what is registered, what it needs, whether its polling is postponed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from services.inventory.domain.errors import WrongState
from services.inventory.domain.ids import TpsId, kelurahan_of
from shared.contracts.base import Event, Text
from shared.contracts.inventory import NeedsCalculated, PollingPostponed, PollingStationRegistered
from shared.errors import NotFound
from shared.eventstore.command import Command


@dataclass(frozen=True, slots=True)
class Station:
    registered: PollingStationRegistered | None = None
    needs: NeedsCalculated | None = None
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
            return Station(event, state.needs, state.postponed)
        case NeedsCalculated():
            return Station(state.registered, event, state.postponed)
        case PollingPostponed():
            return replace(state, postponed=True)
    return state


def require(states: Mapping[str, Any], tps: str) -> Station:
    """The station's state with its needs, or `NotFound`."""
    state: Station = states[stream(tps)]
    if state.registered is None or state.needs is None:
        raise NotFound(f"Polling station {tps} is not registered.")
    return state
