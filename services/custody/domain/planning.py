"""A consignment is planned, leaves within its release window, or is given up."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, model_validator

from services.custody.domain import consignments, incidents, offices, units
from services.custody.domain.consignments import Consignment
from services.custody.domain.errors import (
    ConsignmentExists,
    EarlyRelease,
    NotOnConsignment,
    NotTheCustodian,
    ReleaseClosed,
    SameOffice,
    UnitInConsignment,
)
from services.custody.domain.facts import Facts
from services.custody.domain.offices import OfficeId, TpsId
from services.custody.domain.seals import require_once
from shared.contracts.base import Event, Id, Instant, RegionCode, Text, Value
from shared.contracts.custody import (
    ConsignmentCancelled,
    ConsignmentDeparted,
    ConsignmentPlanned,
    ConsignmentUnloaded,
    DepartureRefused,
    Direction,
    Manifest,
    Node,
    UnitLoaded,
    UnitUnloaded,
)
from shared.eventstore.command import Command, Context

UnitIds = Annotated[tuple[Id, ...], Field(min_length=1, max_length=1000)]


class Halt(Value):
    """A node of the wished route."""

    place: Id
    office: OfficeId
    region: RegionCode


class PlanConsignment(Command):
    """Units on a planned route, to leave within a window; `route[0]` is their present custodian."""

    name: ClassVar[str] = "plan-consignment"
    roles: ClassVar[frozenset[str]] = frozenset({"operator"})

    consignment: Id
    tps: TpsId | None = None
    direction: Direction
    region: RegionCode
    route: Annotated[tuple[Halt, ...], Field(min_length=2, max_length=12)]
    units: UnitIds
    release_from: Instant
    release_until: Instant
    manifest: Manifest

    @model_validator(mode="after")
    def _window(self) -> Self:
        if self.release_until <= self.release_from:
            raise ValueError("release_until must come after release_from")
        return self

    def streams(self) -> tuple[str, ...]:
        return (f"consignment-{self.consignment}", *(f"unit-{unit}" for unit in self.units))


class DepartConsignment(Command):
    """The consignment leaves its origin."""

    name: ClassVar[str] = "depart-consignment"
    roles: ClassVar[frozenset[str]] = frozenset({"custodian"})

    consignment: Id

    def streams(self) -> tuple[str, ...]:
        return (f"consignment-{self.consignment}",)


class UnloadUnits(Command):
    """Take units off a consignment; the others go on."""

    name: ClassVar[str] = "unload-units"
    roles: ClassVar[frozenset[str]] = frozenset({"operator"})

    consignment: Id
    units: UnitIds
    reason: Text

    def streams(self) -> tuple[str, ...]:
        return (f"consignment-{self.consignment}", *(f"unit-{unit}" for unit in self.units))


class CancelConsignment(Command):
    """Give up a consignment that has not left; `units` repeats all that are on it."""

    name: ClassVar[str] = "cancel-consignment"
    roles: ClassVar[frozenset[str]] = frozenset({"operator"})

    consignment: Id
    units: Annotated[tuple[Id, ...], Field(max_length=1000)]
    reason: Text

    def streams(self) -> tuple[str, ...]:
        return (f"consignment-{self.consignment}", *(f"unit-{unit}" for unit in self.units))


def plan(command: PlanConsignment, states: Mapping[str, Any], context: Context) -> Sequence[Event]:
    if states[f"consignment-{command.consignment}"].status != "unknown":
        raise ConsignmentExists(f"{command.consignment} is planned already")
    require_once("unit", command.units)
    _require_two_parties(command.route)
    origin = command.route[0]
    for name in command.units:
        _require_at(states, name, origin.office)
    facts: Facts = context.facts
    facts.require_registered(command.route)
    consignment, region = command.consignment, origin.region
    return [
        _planned(command),
        *(UnitLoaded(region=region, unit=u, consignment=consignment) for u in command.units),
    ]


def _require_two_parties(route: Sequence[Halt]) -> None:
    for giver, receiver in pairwise(route):
        if giver.office == receiver.office:
            raise SameOffice(f"{giver.office} cannot hand over to itself", office=giver.office)


def _require_at(states: Mapping[str, Any], name: str, office: str) -> None:
    unit = units.require_fit(states, name)
    if unit.consignment:
        raise UnitInConsignment(
            f"{name} is on {unit.consignment}", unit=name, consignment=unit.consignment
        )
    if unit.custodian != office:
        raise NotTheCustodian(
            f"{name} is with {unit.custodian}, not {office}", unit=name, custodian=unit.custodian
        )


def _planned(command: PlanConsignment) -> ConsignmentPlanned:
    route = tuple(
        Node(place=halt.place, office=halt.office, region=halt.region) for halt in command.route
    )
    return ConsignmentPlanned(
        region=command.region,
        consignment=command.consignment,
        tps=command.tps,
        route_regions=tuple(dict.fromkeys(node.region for node in route)),
        direction=command.direction,
        route=route,
        units=command.units,
        release_from=command.release_from,
        release_until=command.release_until,
        manifest=command.manifest,
    )


def depart(
    command: DepartConsignment, states: Mapping[str, Any], context: Context
) -> Sequence[Event]:
    state = consignments.require_status(states, command.consignment, "planned")
    origin = state.route[0]
    offices.require_acting_for(context, origin.office)
    at = command.occurred_at or context.now
    if at < state.release_from:
        raise EarlyRelease(
            f"{command.consignment} may leave from {state.release_from.isoformat()}",
            records=() if state.attempted else _too_early(command, state, context),
        )
    if at > state.release_until:
        raise ReleaseClosed(
            f"{command.consignment} could leave until {state.release_until.isoformat()}"
        )
    departed = ConsignmentDeparted(
        region=origin.region,
        consignment=command.consignment,
        tps=state.tps,
        route_regions=state.regions,
        place=origin.place,
        departed_at=at,
        units=len(state.units),
    )
    return (departed,)


def _too_early(
    command: DepartConsignment, state: Consignment, context: Context
) -> tuple[Event, Event]:
    origin, subject = state.route[0], state.tps or command.consignment
    refused = DepartureRefused(
        region=origin.region,
        consignment=command.consignment,
        tps=state.tps,
        route_regions=state.regions,
        attempted_at=command.occurred_at or context.now,
        reason="The release window has not opened",
    )
    incident = incidents.raise_incident(
        "early-release",
        incident=incidents.incident_id("early-release", subject, command.consignment, 0),
        region=origin.region,
        detail=f"Departure was attempted before {state.release_from.isoformat()}",
        tps=state.tps,
        consignment=command.consignment,
        place=origin.place,
    )
    return refused, incident


def unload(command: UnloadUnits, states: Mapping[str, Any], context: Context) -> Sequence[Event]:
    state = consignments.require(states, command.consignment)
    require_once("unit", command.units)
    gone = [unit for unit in command.units if unit not in state.units]
    if gone:
        raise NotOnConsignment(f"{', '.join(gone)} not on {command.consignment}", units=gone)
    unloaded = ConsignmentUnloaded(
        region=state.region,
        consignment=command.consignment,
        tps=state.tps,
        route_regions=state.regions,
        units=command.units,
        reason=command.reason,
    )
    return [unloaded, *_off(command, state, states)]


def cancel(
    command: CancelConsignment, states: Mapping[str, Any], context: Context
) -> Sequence[Event]:
    state = consignments.require_status(states, command.consignment, "planned")
    if set(command.units) != set(state.units):
        raise NotOnConsignment("All units of the consignment are to be named", units=state.units)
    cancelled = ConsignmentCancelled(
        region=state.region,
        consignment=command.consignment,
        tps=state.tps,
        route_regions=state.regions,
        reason=command.reason,
    )
    return [cancelled, *_off(command, state, states)]


def _off(
    command: UnloadUnits | CancelConsignment, state: Consignment, states: Mapping[str, Any]
) -> list[Event]:
    return [
        UnitUnloaded(
            region=state.region,
            unit=unit,
            consignment=command.consignment,
            reason=command.reason,
        )
        for unit in command.units
        if states[f"unit-{unit}"].consignment == command.consignment
    ]


def planning_regions(command: PlanConsignment, states: Mapping[str, Any]) -> set[str]:
    """Of the plan, its polling station, and the office whose units it takes: not of the way."""
    regions = {command.region, offices.region_of(command.route[0].office)}
    return regions | {offices.region_of_tps(command.tps)} if command.tps else regions


def departing_office(command: DepartConsignment, states: Mapping[str, Any]) -> Sequence[str]:
    state = states[f"consignment-{command.consignment}"]
    return (offices.region_of(state.route[0].office),) if state.route else ()


def own_region(
    command: UnloadUnits | CancelConsignment, states: Mapping[str, Any]
) -> Sequence[str]:
    region = states[f"consignment-{command.consignment}"].region
    return (region,) if region else ()
