"""A unit (box or koli): who answers for it, which seal it should have, what it is on."""

from collections.abc import Mapping
from sys import intern
from typing import Any, NamedTuple

from services.custody.domain.errors import UnitNotFit, UnknownUnit
from shared.contracts.custody import (
    Standing,
    UnitFound,
    UnitHandedOver,
    UnitLoaded,
    UnitMissing,
    UnitOrphaned,
    UnitRecovered,
    UnitRegistered,
    UnitScanned,
    UnitSealed,
    UnitUnloaded,
    UnitVoided,
)

UNFIT = frozenset({"orphan", "missing", "voided"})


class Unit(NamedTuple):
    """`seal` is the one put on; `read` the one last read at a hand-over, normally the same."""

    standing: Standing = "unknown"
    custodian: str = ""
    place: str = ""
    seal: str | None = None
    read: str | None = None
    damaged: bool = False
    consignment: str | None = None
    leg: int = 0


UNKNOWN = Unit()


def stream(unit: str) -> str:
    return f"unit-{unit}"


def require(states: Mapping[str, Any], unit: str) -> Unit:
    state: Unit = states[f"unit-{unit}"]
    if state.standing == "unknown":
        raise UnknownUnit(f"{unit} is not registered", unit=unit)
    return state


def require_fit(states: Mapping[str, Any], unit: str) -> Unit:
    """A unit that can be sealed, loaded and handed over."""
    state = require(states, unit)
    if state.standing in UNFIT:
        raise UnitNotFit(f"{unit} is {state.standing}", unit=unit, standing=state.standing)
    return state


def registered(state: Unit, event: UnitRegistered) -> Unit:
    return Unit("registered", intern(event.custodian), intern(event.place))


def sealed(state: Unit, event: UnitSealed) -> Unit:
    return state._replace(seal=event.seal, read=event.seal)


def loaded(state: Unit, event: UnitLoaded) -> Unit:
    return state._replace(standing="loaded", consignment=intern(event.consignment), leg=0)


def unloaded(state: Unit, event: UnitUnloaded) -> Unit:
    standing = _rest(state.standing)
    return state._replace(standing=standing, consignment=None)


def _rest(standing: Standing) -> Standing:
    match standing:
        case "loaded":
            return "registered"
        case "in-transit":
            return "delivered"
    return standing


def handed_over(state: Unit, event: UnitHandedOver) -> Unit:
    return Unit(
        "delivered" if event.final else "in-transit",
        intern(event.receiver),
        intern(event.place),
        state.seal,
        state.seal if event.seal == state.seal else event.seal,
        event.condition == "damaged",
        None if event.final else state.consignment,
        event.leg,
    )


def scanned(state: Unit, event: UnitScanned) -> Unit:
    return state


def orphaned(state: Unit, event: UnitOrphaned) -> Unit:
    return state._replace(
        standing="orphan", custodian=intern(event.office), place=intern(event.place)
    )


def recovered(state: Unit, event: UnitRecovered) -> Unit:
    return state._replace(
        standing="in-transit" if state.consignment else "delivered",
        custodian=intern(event.receiver),
        place=intern(event.place),
        read=event.seal,
        damaged=event.condition == "damaged",
    )


def missing(state: Unit, event: UnitMissing) -> Unit:
    """The giver goes on answering for it; the consignment goes on without it."""
    return state._replace(standing="missing", consignment=None)


def found(state: Unit, event: UnitFound) -> Unit:
    return state._replace(
        standing="found", custodian=intern(event.office), place=intern(event.place)
    )


def voided(state: Unit, event: UnitVoided) -> Unit:
    return state._replace(standing="voided", consignment=None)


EVOLVE = {
    UnitRegistered: registered,
    UnitSealed: sealed,
    UnitLoaded: loaded,
    UnitUnloaded: unloaded,
    UnitHandedOver: handed_over,
    UnitScanned: scanned,
    UnitOrphaned: orphaned,
    UnitRecovered: recovered,
    UnitMissing: missing,
    UnitFound: found,
    UnitVoided: voided,
}
