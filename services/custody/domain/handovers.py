"""A hand-over: the giver confirms, the receiver confirms, and custody has passed."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, ClassVar, NamedTuple

from pydantic import Field

from services.custody.domain import checks, consignments, offices, units
from services.custody.domain.consignments import Consignment
from services.custody.domain.errors import (
    AlreadyGiven,
    LegNotDue,
    NotGiven,
    NotOnConsignment,
    NotTheCustodian,
    SamePerson,
    UnitsUnaccounted,
)
from services.custody.domain.facts import Stop
from services.custody.domain.seals import require_once
from services.custody.domain.units import Unit
from shared.contracts.base import Event, Id, Positive, Text
from shared.contracts.custody import (
    HandOverGiven,
    HandOverReceived,
    IncidentRaised,
    UnitHandedOver,
    UnitMissing,
    UnitsAbsent,
    UnitState,
)
from shared.eventstore.command import Command, Context

Leg = Annotated[int, Field(ge=1, le=11)]
Found = Annotated[tuple[UnitState, ...], Field(max_length=1000)]


class GiveHandOver(Command):
    """The present custodian confirms which units it hands over, and how they are."""

    name: ClassVar[str] = "give-hand-over"
    roles: ClassVar[frozenset[str]] = frozenset({"custodian"})

    consignment: Id
    leg: Leg
    units: Found

    def streams(self) -> tuple[str, ...]:
        return (f"consignment-{self.consignment}", *(f"unit-{u.unit}" for u in self.units))


class ReceiveHandOver(Command):
    """The next office confirms what it got: every unit that was given is received or missing."""

    name: ClassVar[str] = "receive-hand-over"
    roles: ClassVar[frozenset[str]] = frozenset({"custodian"})

    consignment: Id
    leg: Leg
    units: Found
    missing: Annotated[tuple[Id, ...], Field(max_length=1000)] = ()
    attended_by: Annotated[tuple[Id, ...], Field(max_length=50)]
    bast: Text | None = None
    """Number of the berita acara; without it, one made of consignment and leg."""

    def streams(self) -> tuple[str, ...]:
        return (
            f"consignment-{self.consignment}",
            *(f"unit-{found.unit}" for found in self.units),
            *(f"unit-{unit}" for unit in self.missing),
        )

    def told(self, events: Sequence[Event]) -> Mapping[str, Any]:
        """`units`: those that are missing or raised incidents, and which; the rest is in order.

        `incidents`: those of the hand-over as a whole.
        """
        units: dict[str, list[str]] = {}
        whole: list[str] = []
        for event in events:
            if isinstance(event, UnitMissing):
                units.setdefault(event.unit, []).append("missing")
            elif isinstance(event, IncidentRaised):
                kinds = units.setdefault(event.unit, []) if event.unit else whole
                kinds.append(event.incident_kind)
        return {"received": len(self.units), "units": units, "incidents": whole}


class HandOver(NamedTuple):
    """What both parties' confirmations are about."""

    consignment: str
    leg: int
    state: Consignment
    giver: str
    stop: Stop
    at: datetime
    bast: str

    @property
    def final(self) -> bool:
        return self.leg == len(self.state.route) - 1


def give(command: GiveHandOver, states: Mapping[str, Any], context: Context) -> Sequence[Event]:
    hand = _due(command, states, context)
    offices.require_acting_for(context, hand.giver)
    state = hand.state
    if state.given is not None:
        raise AlreadyGiven(f"Leg {hand.leg} of {hand.consignment} is given already")
    given = [found.unit for found in command.units]
    require_once("unit", given)
    _require_aboard(state, given)
    for name in given:
        _require_held(units.require_fit(states, name), name, hand.giver)
    confirmed = HandOverGiven(
        region=hand.stop.region,
        consignment=hand.consignment,
        tps=state.tps,
        route_regions=state.regions,
        leg=hand.leg,
        giver=hand.giver,
        receiver=hand.stop.office,
        place=hand.stop.place,
        given_by=context.actor,
        units=len(given),
    )
    if len(given) == len(state.units):
        return (confirmed,)
    return (confirmed, _absent(hand, consignments.without(state.units, tuple(given))))


def _absent(hand: HandOver, absent: tuple[str, ...]) -> UnitsAbsent:
    return UnitsAbsent(
        region=hand.stop.region,
        consignment=hand.consignment,
        tps=hand.state.tps,
        route_regions=hand.state.regions,
        leg=hand.leg,
        giver=hand.giver,
        units=absent,
    )


def receive(
    command: ReceiveHandOver, states: Mapping[str, Any], context: Context
) -> Sequence[Event]:
    hand = _due(command, states, context)
    offices.require_acting_for(context, hand.stop.office)
    if hand.state.given is None:
        raise NotGiven(f"{hand.giver} has not confirmed leg {hand.leg} of {hand.consignment}")
    if hand.state.given_by == context.actor:
        raise SamePerson(f"{context.actor} has confirmed for {hand.giver}: another person receives")
    _account(command, hand.state)
    lost = [name for name in command.missing if _is_lost(states, name, hand.giver)]
    events: list[Event] = [_received(command, hand, lost, context.actor)]
    found_wrong: list[Event] = []
    for found in command.units:
        unit: Unit = states[f"unit-{found.unit}"]
        found_wrong += checks.inspect(found, unit, checks.where_of(hand))
        if not _is_recovered(unit, hand):
            _require_held(units.require_fit(states, found.unit), found.unit, hand.giver)
            events.append(_handed_over(found, hand))
    events += [_missing(name, states, checks.where_of(hand)) for name in lost]
    events += found_wrong
    events += checks.count(lost, hand)
    events += checks.circumstances(command.attended_by, hand)
    return events


def _due(
    command: GiveHandOver | ReceiveHandOver, states: Mapping[str, Any], context: Context
) -> HandOver:
    """The next leg, which is the only one that can be handed over."""
    name, leg = command.consignment, command.leg
    state = consignments.require_status(states, name, "departed")
    if leg != state.leg + 1:
        raise LegNotDue(f"Leg {state.leg + 1} of {name} is due, not {leg}", due=state.leg + 1)
    bast = getattr(command, "bast", None) or f"BAST/{name}/{leg}"
    at = command.occurred_at or context.now
    return HandOver(name, leg, state, state.route[leg - 1].office, state.route[leg], at, bast)


def _require_aboard(state: Consignment, names: Sequence[str]) -> None:
    strange = [name for name in names if name not in state.units]
    if strange:
        raise NotOnConsignment(f"{', '.join(strange)}: not on this consignment", units=strange)


def _require_held(unit: Unit, name: str, giver: str) -> None:
    if unit.custodian != giver:
        raise NotTheCustodian(
            f"{name} is with {unit.custodian}, not {giver}", unit=name, custodian=unit.custodian
        )


def _account(command: ReceiveHandOver, state: Consignment) -> None:
    named = [*(found.unit for found in command.units), *command.missing]
    require_once("unit", named)
    _require_aboard(state, named)
    if len(named) < len(state.units):
        silent = [u for u in state.units if u not in named and u not in state.absent]
        if silent:
            raise UnitsUnaccounted(f"Nothing is said of {', '.join(silent)}", units=silent)


def _is_lost(states: Mapping[str, Any], name: str, giver: str) -> bool:
    """A unit that has turned up elsewhere is not lost: that is an incident of its own."""
    unit = units.require(states, name)
    return unit.standing not in units.UNFIT and unit.custodian == giver


def _is_recovered(unit: Unit, hand: HandOver) -> bool:
    """It strayed and was brought to this office before the others: that was its hand-over."""
    at_receiver = unit.custodian == hand.stop.office != hand.giver
    return at_receiver and unit.standing in ("in-transit", "delivered")


def _received(
    command: ReceiveHandOver, hand: HandOver, lost: Sequence[str], person: str
) -> HandOverReceived:
    state, stop = hand.state, hand.stop
    return HandOverReceived(
        region=stop.region,
        consignment=hand.consignment,
        tps=state.tps,
        route_regions=state.regions,
        leg=hand.leg,
        giver=hand.giver,
        receiver=stop.office,
        place=stop.place,
        received_by=person,
        bast=hand.bast,
        given=state.given,
        received=len(command.units),
        missing=tuple(lost),
        attended_by=command.attended_by,
        received_at=hand.at,
        final=hand.final,
    )


def _handed_over(found: UnitState, hand: HandOver) -> UnitHandedOver:
    stop = hand.stop
    return UnitHandedOver(
        region=stop.region,
        unit=found.unit,
        consignment=hand.consignment,
        leg=hand.leg,
        giver=hand.giver,
        receiver=stop.office,
        place=stop.place,
        seal=found.seal,
        condition=found.condition,
        bast=hand.bast,
        final=hand.final,
    )


def _missing(name: str, states: Mapping[str, Any], where: checks.Where) -> UnitMissing:
    unit: Unit = states[f"unit-{name}"]
    return UnitMissing(
        region=where.region,
        unit=name,
        custodian=unit.custodian,
        was=unit.standing,
        consignment=where.consignment,
        leg=where.leg,
        place=where.place,
    )


def giver_region(command: GiveHandOver, states: Mapping[str, Any]) -> Sequence[str]:
    return _office_region(states, command.consignment, command.leg - 1)


def receiver_region(command: ReceiveHandOver, states: Mapping[str, Any]) -> Sequence[str]:
    return _office_region(states, command.consignment, command.leg)


def _office_region(states: Mapping[str, Any], consignment: str, node: int) -> Sequence[str]:
    route = states[f"consignment-{consignment}"].route
    return (offices.region_of(route[node].office),) if node < len(route) else ()


class AccountAbsentUnits(Command):
    """What a giver did not have and has not turned up elsewhere is missing."""

    name: ClassVar[str] = "account-absent-units"
    roles: ClassVar[frozenset[str]] = frozenset({"service"})

    consignment: Id
    tps: Id | None = None
    leg: Positive
    giver: offices.OfficeId
    units: Annotated[tuple[Id, ...], Field(min_length=1, max_length=1000)]

    def streams(self) -> tuple[str, ...]:
        return tuple(f"unit-{unit}" for unit in self.units)


def account_absent(
    command: AccountAbsentUnits, states: Mapping[str, Any], context: Context
) -> Sequence[Event]:
    lost = [
        name
        for name in command.units
        if _is_lost(states, name, command.giver)
        # This may be decided long after: by then the giver may have it again, on its way back.
        and states[f"unit-{name}"].consignment == command.consignment
    ]
    place = states[f"unit-{lost[0]}"].place if lost else ""
    region = offices.region_of(command.giver)
    where = checks.Where(command.consignment, command.tps, command.leg, region, place, "given")
    missing = [_missing(name, states, where) for name in lost]
    return [*missing, *checks.variance(lost, where)]
