"""Seals: numbers are logged by the roll before use, and each is used once."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, ClassVar, NamedTuple

from pydantic import Field, StringConstraints

from services.custody.domain import offices, units
from services.custody.domain.errors import (
    Repeated,
    RollLogged,
    SealNotLogged,
    SealOfAnotherRegion,
    SealUsed,
)
from shared.contracts.base import Event, Id, RegionCode, Value
from shared.contracts.custody import AppliedSeal, SealRollLogged, SealsApplied, UnitSealed
from shared.errors import Invalid
from shared.eventstore.command import Command, Context

RollId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9.\-]{0,59}$")]
SealId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9.\-]{0,59}[0-9]{3}$")]
Number = Annotated[int, Field(ge=0, le=999)]


class Roll(NamedTuple):
    """`used` has the bit of every number that was put on; a roll without numbers is not logged."""

    region: str = ""
    first: int = 0
    last: int = -1
    used: int = 0


UNLOGGED = Roll()


class LogSealRoll(Command):
    """Log the seal numbers `<roll><000..999>` from `first` to `last` before use."""

    name: ClassVar[str] = "log-seal-roll"
    roles: ClassVar[frozenset[str]] = frozenset({"operator"})

    roll: RollId
    first: Number
    last: Number
    region: RegionCode

    def streams(self) -> tuple[str, ...]:
        return (f"seal-roll-{self.roll}",)


class NewSeal(Value):
    unit: Id
    seal: SealId


class ResealUnits(Command):
    """The present custodian puts new seals on, for example after the count."""

    name: ClassVar[str] = "reseal-units"
    roles: ClassVar[frozenset[str]] = frozenset({"custodian"})

    seals: Annotated[tuple[NewSeal, ...], Field(min_length=1, max_length=1000)]
    place: Id

    def streams(self) -> tuple[str, ...]:
        return (*(f"unit-{s.unit}" for s in self.seals), *streams(s.seal for s in self.seals))


def streams(seals: Iterable[str]) -> dict[str, None]:
    """The streams of the rolls of these seals, each once."""
    return dict.fromkeys(f"seal-roll-{roll_of(seal)}" for seal in seals)


def roll_of(seal: str) -> str:
    return seal[:-3]


def log(command: LogSealRoll, states: Mapping[str, Any], context: Context) -> Sequence[Event]:
    if command.last < command.first:
        raise Invalid("last comes before first", field="last")
    [state] = states.values()
    if state.last >= state.first:
        raise RollLogged(f"{command.roll} is logged from {state.first} to {state.last}")
    return (
        SealRollLogged(
            region=command.region, roll=command.roll, first=command.first, last=command.last
        ),
    )


def reseal(command: ResealUnits, states: Mapping[str, Any], context: Context) -> Sequence[Event]:
    require_once("unit", [new.unit for new in command.seals])
    events: list[Event] = []
    for new in command.seals:
        unit = units.require_fit(states, new.unit)
        offices.require_acting_for(context, unit.custodian)
        events.append(
            UnitSealed(
                region=offices.region_of(unit.custodian),
                unit=new.unit,
                seal=new.seal,
                place=command.place,
                replaces=unit.seal,
            )
        )
    held = {new.unit: event.region for new, event in zip(command.seals, events, strict=True)}
    return events + apply(states, [(new.seal, new.unit) for new in command.seals], held)


def apply(
    states: Mapping[str, Any], pairs: Sequence[tuple[str, str]], regions: Mapping[str, str]
) -> list[Event]:
    """The use of these seals (seal, unit), one event for each roll; `regions` of the units."""
    rolls: dict[str, list[tuple[str, str]]] = {}
    for pair in pairs:
        rolls.setdefault(roll_of(pair[0]), []).append(pair)
    return [
        _apply(roll, states[f"seal-roll-{roll}"], group, regions) for roll, group in rolls.items()
    ]


def _apply(
    roll: str, state: Roll, pairs: Sequence[tuple[str, str]], regions: Mapping[str, str]
) -> SealsApplied:
    used = state.used
    for seal, unit in pairs:
        number = int(seal[-3:])
        if not state.first <= number <= state.last:
            raise SealNotLogged(f"{seal} is not logged", seal=seal, unit=unit)
        if not _related(state.region, regions[unit]):
            raise SealOfAnotherRegion(f"{seal} is of {state.region}", seal=seal, unit=unit)
        if used >> number & 1:
            raise SealUsed(f"{seal} was used before", seal=seal, unit=unit)
        used |= 1 << number
    applied = tuple(AppliedSeal(seal=seal, unit=unit) for seal, unit in pairs)
    return SealsApplied(region=state.region, roll=roll, seals=applied)


def resealing_offices(command: ResealUnits, states: Mapping[str, Any]) -> set[str]:
    return {
        offices.region_of(state.custodian)
        for new in command.seals
        if (state := states[f"unit-{new.unit}"]).custodian
    }


def _related(one: str, other: str) -> bool:
    """Whether one of the regions lies in the other, or is it."""
    return f"{one}.".startswith(f"{other}.") or f"{other}.".startswith(f"{one}.")


def require_once(what: str, ids: Sequence[str]) -> None:
    """No id may be listed twice in one command."""
    if len(set(ids)) < len(ids):
        twice = sorted({each for each in ids if ids.count(each) > 1})
        raise Repeated(f"{what} {', '.join(twice)} listed twice")


def logged(state: Roll, event: SealRollLogged) -> Roll:
    return Roll(event.region, event.first, event.last)


def applied(state: Roll, event: SealsApplied) -> Roll:
    used = state.used
    for each in event.seals:
        used |= 1 << int(each.seal[-3:])
    return state._replace(used=used)


EVOLVE = {SealRollLogged: logged, SealsApplied: applied}
