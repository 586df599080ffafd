"""A consignment: its route, the units still on it, how far it has come."""

from collections.abc import Mapping
from datetime import datetime
from sys import intern
from typing import Any, Literal, NamedTuple

from services.custody.domain.errors import UnknownConsignment, WrongState
from services.custody.domain.facts import Route, Stop
from services.custody.domain.sharing import one
from shared.contracts.custody import (
    ConsignmentCancelled,
    ConsignmentDeparted,
    ConsignmentPlanned,
    ConsignmentUnloaded,
    DepartureRefused,
    Direction,
    HandOverGiven,
    HandOverReceived,
    Node,
    UnitsAbsent,
)

Status = Literal["unknown", "planned", "departed", "delivered", "cancelled"]


class Consignment(NamedTuple):
    """`leg` is the last one received. `given` counts the units that the giver of the next leg has
    confirmed (None: not yet), `absent` those of `units` that the giver does not have.
    """

    status: Status = "unknown"
    tps: str | None = None
    direction: Direction = "outbound"
    region: str = ""
    route: Route = ()
    regions: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    release_from: datetime | None = None
    release_until: datetime | None = None
    leg: int = 0
    given: int | None = None
    given_by: str = ""
    absent: tuple[str, ...] = ()
    attempted: bool = False
    received_at: datetime | None = None


UNPLANNED = Consignment()


def stream(consignment: str) -> str:
    return f"consignment-{consignment}"


def require(states: Mapping[str, Any], consignment: str) -> Consignment:
    state: Consignment = states[f"consignment-{consignment}"]
    if state.status == "unknown":
        raise UnknownConsignment(f"{consignment} was never planned")
    return state


def require_status(states: Mapping[str, Any], consignment: str, status: Status) -> Consignment:
    state = require(states, consignment)
    if state.status != status:
        raise WrongState(f"{consignment} is {state.status}, not {status}", state=state.status)
    return state


def route_of(nodes: tuple[Node, ...]) -> Route:
    return tuple(
        one(Stop(intern(node.place), intern(node.office), intern(node.region))) for node in nodes
    )


def planned(state: Consignment, event: ConsignmentPlanned) -> Consignment:
    return Consignment(
        "planned",
        event.tps,
        event.direction,
        intern(event.region),
        route_of(event.route),
        one(tuple(map(intern, event.route_regions))),
        event.units,
        one(event.release_from),
        one(event.release_until),
    )


def departed(state: Consignment, event: ConsignmentDeparted) -> Consignment:
    return state._replace(status="departed")


def departure_refused(state: Consignment, event: DepartureRefused) -> Consignment:
    return state._replace(attempted=True)


def unloaded(state: Consignment, event: ConsignmentUnloaded) -> Consignment:
    return state._replace(units=without(state.units, event.units))


def given(state: Consignment, event: HandOverGiven) -> Consignment:
    return state._replace(given=event.units, given_by=event.given_by)


def absent(state: Consignment, event: UnitsAbsent) -> Consignment:
    return state._replace(absent=event.units)


def received(state: Consignment, event: HandOverReceived) -> Consignment:
    """A finished one keeps only what is asked later, for most of a store are finished."""
    if event.final:
        return Consignment(
            "delivered",
            state.tps,
            state.direction,
            state.region,
            release_from=state.release_from,
            leg=event.leg,
            received_at=event.received_at,
        )
    units = without(state.units, event.missing) if event.missing else state.units
    return state._replace(leg=event.leg, given=None, given_by="", absent=(), units=units)


def cancelled(state: Consignment, event: ConsignmentCancelled) -> Consignment:
    return state._replace(status="cancelled", units=())


def without(units: tuple[str, ...], gone: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(unit for unit in units if unit not in gone)


EVOLVE = {
    ConsignmentPlanned: planned,
    ConsignmentDeparted: departed,
    DepartureRefused: departure_refused,
    ConsignmentUnloaded: unloaded,
    HandOverGiven: given,
    UnitsAbsent: absent,
    HandOverReceived: received,
    ConsignmentCancelled: cancelled,
}
