"""The decider of custody: which rule decides a command, which fold keeps a stream's state."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from services.custody.domain import (
    consignments,
    handovers,
    incidents,
    lateness,
    offices,
    planning,
    registering,
    seals,
    strays,
    units,
)
from shared.contracts.base import Event
from shared.eventstore.command import Command, Context

Decide = Callable[[Any, Mapping[str, Any], Context], Sequence[Event]]
Regions = Callable[[Any, Mapping[str, Any]], Iterable[str]]


def _of_command(command: Any, states: Mapping[str, Any]) -> Sequence[str]:
    return (command.region,)


def _of_receiver(command: strays.RecoverUnit, states: Mapping[str, Any]) -> Sequence[str]:
    return (offices.region_of(command.receiver),)


def _nowhere(command: Any, states: Mapping[str, Any]) -> Sequence[str]:
    return ()


RULES: dict[type[Command], tuple[Decide, Regions]] = {
    seals.LogSealRoll: (seals.log, _of_command),
    seals.ResealUnits: (seals.reseal, seals.resealing_offices),
    registering.RegisterUnits: (registering.register, registering.register_regions),
    registering.VoidUnits: (registering.void, registering.void_regions),
    planning.PlanConsignment: (planning.plan, planning.planning_regions),
    planning.DepartConsignment: (planning.depart, planning.departing_office),
    planning.UnloadUnits: (planning.unload, planning.own_region),
    planning.CancelConsignment: (planning.cancel, planning.own_region),
    handovers.GiveHandOver: (handovers.give, handovers.giver_region),
    handovers.ReceiveHandOver: (handovers.receive, handovers.receiver_region),
    handovers.AccountAbsentUnits: (handovers.account_absent, _nowhere),
    strays.ScanUnit: (strays.scan, strays.scanning_region),
    strays.RecoverUnit: (strays.recover, _of_receiver),
    strays.ReportFound: (strays.report_found, strays.scanning_region),
    incidents.CloseIncident: (incidents.close, incidents.close_regions),
    lateness.RaiseLate: (lateness.raise_late, _nowhere),
}

INTERNAL = frozenset({handovers.AccountAbsentUnits, lateness.RaiseLate})
"""Commands of policies and the scheduler: nobody gives them over HTTP."""

COMMANDS: tuple[type[Command], ...] = tuple(each for each in RULES if each not in INTERNAL)

EVOLVE: dict[type[Event], Callable[[Any, Any], Any]] = {
    **seals.EVOLVE,
    **units.EVOLVE,
    **consignments.EVOLVE,
    **incidents.EVOLVE,
}

INITIAL: dict[str, Any] = {
    "unit": units.UNKNOWN,
    "consignment": consignments.UNPLANNED,
    "seal": seals.UNLOGGED,
    "incident": incidents.UNRAISED,
}


class CustodyDecider:
    """States are immutable values, so one initial value serves every stream of its kind."""

    def initial(self, stream: str) -> Any:
        return INITIAL[stream[: stream.index("-")]]

    def evolve(self, state: Any, event: Event) -> Any:
        return EVOLVE[type(event)](state, event)

    def decide(
        self, command: Command, states: Mapping[str, Any], context: Context
    ) -> Sequence[Event]:
        return RULES[type(command)][0](command, states, context)

    def regions(self, command: Command, states: Mapping[str, Any]) -> Iterable[str]:
        return RULES[type(command)][1](command, states)
