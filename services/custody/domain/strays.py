"""Units seen on their way, units where nobody expected them, and how they come back."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from services.custody.domain import checks, offices, units
from services.custody.domain.errors import NotAStray, NotOnRoute, NotTheCustodian, SameOffice
from services.custody.domain.facts import Facts
from services.custody.domain.incidents import incident_id, raise_incident
from services.custody.domain.offices import OfficeId
from services.custody.domain.units import Unit
from shared.contracts.base import Event, Id, Text
from shared.contracts.custody import (
    Condition,
    IncidentKind,
    IncidentRaised,
    SealReading,
    UnitFound,
    UnitOrphaned,
    UnitRecovered,
    UnitScanned,
    UnitState,
    UnitUnloaded,
)
from shared.eventstore.command import Command, Context

ASTRAY = "astray"
"""Stands in an incident's id for the consignment that a lost unit was taken off."""


class ScanUnit(Command):
    """A unit is seen at a place, without a change of custody if it may be there."""

    name: ClassVar[str] = "scan-unit"
    roles: ClassVar[frozenset[str]] = frozenset({"custodian", "supervisor"})

    unit: Id
    place: Id
    office: OfficeId

    def streams(self) -> tuple[str, ...]:
        return (
            f"unit-{self.unit}",
            f"incident-{self.incident('unregistered-place')}",
            f"incident-{self.incident('wrong-destination')}",
        )

    def incident(self, kind: IncidentKind) -> str:
        return incident_id(kind, self.unit, self.place)


class RecoverUnit(Command):
    """A stray is handed to the office that should have it; that counts as its hand-over.

    `seal` is the number that the receiver reads, null where there is none.
    """

    name: ClassVar[str] = "recover-unit"
    roles: ClassVar[frozenset[str]] = frozenset({"custodian"})

    unit: Id
    giver: OfficeId
    receiver: OfficeId
    place: Id
    seal: SealReading | None
    condition: Condition = "good"
    bast: Text

    def streams(self) -> tuple[str, ...]:
        return (f"unit-{self.unit}",)


class ReportFound(Command):
    """A missing unit has turned up; the office that found it holds it."""

    name: ClassVar[str] = "report-found"
    roles: ClassVar[frozenset[str]] = frozenset({"custodian"})

    unit: Id
    place: Id
    office: OfficeId

    def streams(self) -> tuple[str, ...]:
        return (f"unit-{self.unit}",)


def scan(command: ScanUnit, states: Mapping[str, Any], context: Context) -> Sequence[Event]:
    unit = units.require(states, command.unit)
    offices.require_acting_for(context, command.office)
    region, facts = offices.region_of(command.office), context.facts
    if command.place not in facts.places:
        detail = f"Seen at {command.place}, which is not a registered place"
        return [
            _scanned(command, region),
            *_incident("unregistered-place", detail, command, unit, states),
        ]
    if unit.standing == "voided" or _may_be_at(unit, command.place, facts):
        return (_scanned(command, region),)
    offices.require_within(command.office, facts.places[command.place])
    orphaned = UnitOrphaned(
        region=region,
        unit=command.unit,
        custodian=unit.custodian,
        was=unit.standing,
        place=command.place,
        office=command.office,
    )
    detail = f"Seen at {command.place}, which is not on its route"
    return [orphaned, *_incident("wrong-destination", detail, command, unit, states)]


def _may_be_at(unit: Unit, place: str, facts: Facts) -> bool:
    if place == unit.place:
        return True
    if unit.consignment is None:
        return False
    return any(stop.place == place for stop in facts.route(unit.consignment))


def _scanned(command: ScanUnit, region: str) -> UnitScanned:
    return UnitScanned(region=region, unit=command.unit, place=command.place, office=command.office)


def _incident(
    kind: IncidentKind, detail: str, command: ScanUnit, unit: Unit, states: Mapping[str, Any]
) -> Sequence[IncidentRaised]:
    """The incident, unless it was raised when the unit was seen there before."""
    incident = command.incident(kind)
    if states[f"incident-{incident}"].raised is not None:
        return ()
    raised = raise_incident(
        kind,
        incident=incident,
        region=offices.region_of(command.office),
        detail=detail,
        unit=command.unit,
        consignment=unit.consignment,
        leg=unit.leg + 1 if unit.consignment else 0,
        units=(command.unit,),
        place=command.place,
    )
    return (raised,)


def recover(command: RecoverUnit, states: Mapping[str, Any], context: Context) -> Sequence[Event]:
    unit = units.require(states, command.unit)
    offices.require_acting_for(context, command.receiver, command.giver)
    if command.giver == command.receiver:
        raise SameOffice(f"{command.giver} cannot hand over to itself", office=command.giver)
    if unit.standing not in ("orphan", "found"):
        raise NotAStray(f"{command.unit} is {unit.standing}", standing=unit.standing)
    if unit.custodian != command.giver:
        raise NotTheCustodian(
            f"{command.unit} is with {unit.custodian}, not {command.giver}",
            unit=command.unit,
            custodian=unit.custodian,
        )
    region = offices.region_of(command.receiver)
    recovered = UnitRecovered(
        region=region,
        unit=command.unit,
        giver=command.giver,
        receiver=command.receiver,
        place=command.place,
        seal=command.seal,
        condition=command.condition,
        bast=command.bast,
    )
    found_wrong = _inspected(command, unit, region)
    if unit.consignment is None:
        return (recovered, *found_wrong)
    return (recovered, *_arrived(command, unit.consignment, context.facts), *found_wrong)


def _inspected(command: RecoverUnit, unit: Unit, region: str) -> Sequence[IncidentRaised]:
    found = UnitState(unit=command.unit, seal=command.seal, condition=command.condition)
    way, leg = unit.consignment or ASTRAY, unit.leg + 1
    return checks.inspect(found, unit, checks.Where(way, None, leg, region, command.place))


def _arrived(command: RecoverUnit, consignment: str, facts: Facts) -> Sequence[Event]:
    """At the last office of its route, a unit is off its consignment."""
    route = facts.route(consignment)
    if command.receiver not in [stop.office for stop in route]:
        raise NotOnRoute(
            f"{command.receiver} is not on the route of {consignment}", consignment=consignment
        )
    if command.receiver != route[-1].office:
        return ()
    unloaded = UnitUnloaded(
        region=offices.region_of(command.receiver),
        unit=command.unit,
        consignment=consignment,
        reason="It reached its destination after it had strayed",
    )
    return (unloaded,)


def report_found(
    command: ReportFound, states: Mapping[str, Any], context: Context
) -> Sequence[Event]:
    unit = units.require(states, command.unit)
    offices.require_acting_for(context, command.office)
    if unit.standing != "missing":
        raise NotAStray(f"{command.unit} is {unit.standing}", standing=unit.standing)
    region = offices.region_of(command.office)
    return (
        UnitFound(region=region, unit=command.unit, place=command.place, office=command.office),
    )


def scanning_region(command: ScanUnit | ReportFound, states: Mapping[str, Any]) -> Sequence[str]:
    return (offices.region_of(command.office),)
