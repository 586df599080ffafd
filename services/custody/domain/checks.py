"""What is checked at a hand-over, and the incidents that follow: one for each cause."""

from collections.abc import Sequence
from datetime import UTC
from typing import TYPE_CHECKING, NamedTuple

from services.custody.domain.incidents import incident_id, raise_incident
from services.custody.domain.units import Unit
from shared.contracts.base import WIB_OFFSET
from shared.contracts.custody import IncidentKind, IncidentRaised, UnitState

if TYPE_CHECKING:
    from services.custody.domain.handovers import HandOver

OPENS, CLOSES = 5 * 3600, 21 * 3600
"""Seconds of the day (WIB) between which outbound material changes hands."""

SUPERVISOR = "BAWASLU"


class Where(NamedTuple):
    consignment: str
    tps: str | None
    leg: int
    region: str
    place: str
    side: str = ""
    """Tells what the giver lacked from what did not arrive on the same leg."""


def where_of(hand: "HandOver") -> Where:
    return Where(hand.consignment, hand.state.tps, hand.leg, hand.stop.region, hand.stop.place)


def inspect(found: UnitState, unit: Unit, where: Where) -> Sequence[IncidentRaised]:
    """What is wrong with a unit that was not wrong at its last hand-over."""
    incidents: list[IncidentRaised] = []
    if found.seal != unit.seal and found.seal != unit.read:
        kind: IncidentKind = "seal-different" if found.seal else "seal-missing"
        detail = f"Seal {unit.seal or 'none'} was put on, {found.seal or 'none'} was found"
        incidents.append(_of_unit(kind, found.unit, detail, where))
    if found.condition == "damaged" and not unit.damaged:
        incidents.append(_of_unit("damaged", found.unit, "It arrived damaged", where))
    return incidents


def count(lost: Sequence[str], hand: "HandOver") -> Sequence[IncidentRaised]:
    return variance(lost, where_of(hand)) if lost else ()


def variance(lost: Sequence[str], where: Where) -> Sequence[IncidentRaised]:
    """Units that are missing: one incident of the polling station, or one for each koli."""
    if not lost:
        return ()
    if where.tps is None:
        return [_of_unit("count-variance", u, "Not among those received", where) for u in lost]
    detail = f"Missing: {', '.join(lost)}"[:2000]
    return [_of_consignment("count-variance", detail, where, lost)]


def circumstances(attended_by: Sequence[str], hand: "HandOver") -> Sequence[IncidentRaised]:
    """Whether the hour was allowed and the supervisor was there."""
    incidents: list[IncidentRaised] = []
    if hand.state.direction == "outbound" and not _within_hours(hand):
        local = (hand.at.astimezone(UTC) + WIB_OFFSET).strftime("%Y-%m-%d %H:%M")
        detail = f"Handed over at {local} WIB"
        incidents.append(_of_consignment("outside-hours", detail, where_of(hand)))
    if SUPERVISOR not in attended_by:
        detail = "No officer of Bawaslu attended"
        incidents.append(_of_consignment("supervisor-absent", detail, where_of(hand)))
    return incidents


def _within_hours(hand: "HandOver") -> bool:
    seconds = (hand.at + WIB_OFFSET).timestamp() % 86_400
    return OPENS <= seconds <= CLOSES


def _of_unit(kind: IncidentKind, unit: str, detail: str, where: Where) -> IncidentRaised:
    return raise_incident(
        kind,
        incident=_id(kind, unit, where),
        region=where.region,
        detail=detail,
        unit=unit,
        tps=None,
        consignment=where.consignment,
        leg=where.leg,
        units=(unit,),
        place=where.place,
    )


def _of_consignment(
    kind: IncidentKind, detail: str, where: Where, units: Sequence[str] = ()
) -> IncidentRaised:
    return raise_incident(
        kind,
        incident=_id(kind, where.tps or where.consignment, where),
        region=where.region,
        detail=detail,
        tps=where.tps,
        consignment=where.consignment,
        leg=where.leg,
        units=units,
        place=where.place,
    )


def _id(kind: str, subject: str, where: Where) -> str:
    named = incident_id(kind, subject, where.consignment, where.leg)
    return f"{named}.{where.side}" if where.side else named
