"""A unit's life begins and ends: registered with its seal, voided and replaced."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

from pydantic import Field

from services.custody.domain import offices, seals, units
from services.custody.domain.errors import UnitExists, UnitInConsignment
from services.custody.domain.offices import OfficeId
from services.custody.domain.seals import SealId
from shared.contracts.base import Event, Id, RegionCode, Text, Value
from shared.contracts.custody import UnitKind, UnitRegistered, UnitSealed, UnitVoided
from shared.eventstore.command import Command, Context


class NewUnit(Value):
    unit: Id
    unit_kind: UnitKind
    contents: Text
    home: RegionCode
    tps: Id | None = None
    seal: SealId | None = None


class RegisterUnits(Command):
    """Units come into being at a place, in the custody of an office, sealed if they have a seal."""

    name: ClassVar[str] = "register-units"
    roles: ClassVar[frozenset[str]] = frozenset({"operator", "service"})

    units: Annotated[tuple[NewUnit, ...], Field(min_length=1, max_length=1000)]
    place: Id
    custodian: OfficeId
    region: RegionCode

    def streams(self) -> tuple[str, ...]:
        rolls = seals.streams(new.seal for new in self.units if new.seal)
        return (*(f"unit-{new.unit}" for new in self.units), *rolls)


class Voided(Value):
    unit: Id
    replaced_by: Id | None = None


class VoidUnits(Command):
    """These units no longer count; what takes their place is named."""

    name: ClassVar[str] = "void-units"
    roles: ClassVar[frozenset[str]] = frozenset({"operator"})

    units: Annotated[tuple[Voided, ...], Field(min_length=1, max_length=1000)]
    reason: Text

    def streams(self) -> tuple[str, ...]:
        named = (name for each in self.units for name in (each.unit, each.replaced_by) if name)
        return tuple(dict.fromkeys(f"unit-{name}" for name in named))


def register(
    command: RegisterUnits, states: Mapping[str, Any], context: Context
) -> Sequence[Event]:
    seals.require_once("unit", [new.unit for new in command.units])
    events: list[Event] = []
    for new in command.units:
        if states[f"unit-{new.unit}"].standing != "unknown":
            raise UnitExists(f"{new.unit} is registered already", unit=new.unit)
        events += _begin(command, new)
    sealed = [(new.seal, new.unit) for new in command.units if new.seal]
    return events + seals.apply(states, sealed, {new.unit: new.home for new in command.units})


def register_regions(command: RegisterUnits, states: Mapping[str, Any]) -> set[str]:
    """Where they are, who holds them, where they belong."""
    held = {command.region, offices.region_of(command.custodian)}
    return held.union(new.home for new in command.units)


def _begin(command: RegisterUnits, new: NewUnit) -> Sequence[Event]:
    registered = UnitRegistered(
        region=command.region,
        unit=new.unit,
        unit_kind=new.unit_kind,
        contents=new.contents,
        home=new.home,
        tps=new.tps,
        place=command.place,
        custodian=command.custodian,
    )
    if new.seal is None:
        return (registered,)
    sealed = UnitSealed(region=command.region, unit=new.unit, seal=new.seal, place=command.place)
    return (registered, sealed)


def void(command: VoidUnits, states: Mapping[str, Any], context: Context) -> Sequence[Event]:
    seals.require_once("unit", [each.unit for each in command.units])
    return [_void(command, each, states) for each in command.units]


def _void(command: VoidUnits, each: Voided, states: Mapping[str, Any]) -> UnitVoided:
    unit = units.require(states, each.unit)
    if unit.standing == "voided":
        raise units.UnitNotFit(f"{each.unit} is voided already", unit=each.unit)
    if unit.consignment:
        raise UnitInConsignment(
            f"{each.unit} is on {unit.consignment}; unload it first", unit=each.unit
        )
    if each.replaced_by:
        units.require_fit(states, each.replaced_by)
    return UnitVoided(
        region=offices.region_of(unit.custodian),
        unit=each.unit,
        custodian=unit.custodian,
        was=unit.standing,
        reason=command.reason,
        replaced_by=each.replaced_by,
    )


def void_regions(command: VoidUnits, states: Mapping[str, Any]) -> set[str]:
    """Of the voided units and of those that take their place."""
    found = (state for state in states.values() if isinstance(state, units.Unit))
    return {offices.region_of(unit.custodian) for unit in found if unit.custodian}
