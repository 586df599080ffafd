"""Incidents: what was detected, once for each cause, until somebody closes it."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

from services.custody.domain.errors import UnknownIncident, WrongState
from shared.contracts.base import Event, Text
from shared.contracts.custody import (
    BREAKS_CHAIN,
    IncidentClosed,
    IncidentId,
    IncidentKind,
    IncidentRaised,
)
from shared.eventstore.command import Command, Context


class Incident(NamedTuple):
    raised: IncidentRaised | None = None
    closed: bool = False


UNRAISED = Incident()


class CloseIncident(Command):
    """The cause is dealt with; `remedy` says how. A break of the chain stays a break."""

    name: ClassVar[str] = "close-incident"
    roles: ClassVar[frozenset[str]] = frozenset({"operator", "supervisor"})

    incident: IncidentId
    remedy: Text

    def streams(self) -> tuple[str, ...]:
        return (f"incident-{self.incident}",)


def incident_id(kind: str, subject: str, where: str, leg: int | None = None) -> str:
    """`where` is the consignment (with its leg), or the place where a unit was seen."""
    return f"{kind}.{subject}.{where}" if leg is None else f"{kind}.{subject}.{where}.{leg}"


def raise_incident(
    kind: IncidentKind,
    *,
    incident: str,
    region: str,
    detail: str,
    unit: str | None = None,
    tps: str | None = None,
    consignment: str | None = None,
    leg: int = 0,
    units: Sequence[str] = (),
    place: str = "",
) -> IncidentRaised:
    """`units` are those concerned; they are named only where the kind breaks their chain."""
    return IncidentRaised(
        region=region,
        incident=incident,
        incident_kind=kind,
        unit=unit,
        tps=tps,
        consignment=consignment,
        leg=leg,
        units=tuple(units) if kind in BREAKS_CHAIN else (),
        place=place,
        detail=detail,
    )


def close(command: CloseIncident, states: Mapping[str, Any], context: Context) -> Sequence[Event]:
    [state] = states.values()
    raised = state.raised
    if raised is None:
        raise UnknownIncident(f"{command.incident} was never raised")
    if state.closed:
        raise WrongState(f"{command.incident} is closed already")
    return (
        IncidentClosed(
            region=raised.region,
            incident=raised.incident,
            incident_kind=raised.incident_kind,
            unit=raised.unit,
            tps=raised.tps,
            consignment=raised.consignment,
            leg=raised.leg,
            remedy=command.remedy,
        ),
    )


def close_regions(command: CloseIncident, states: Mapping[str, Any]) -> Sequence[str]:
    [state] = states.values()
    return (state.raised.region,) if state.raised else ()


def raised(state: Incident, event: IncidentRaised) -> Incident:
    return Incident(event)


def closed(state: Incident, event: IncidentClosed) -> Incident:
    return Incident(state.raised, closed=True)


EVOLVE = {IncidentRaised: raised, IncidentClosed: closed}
