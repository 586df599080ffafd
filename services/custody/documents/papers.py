"""What hand-over records and consignment notes say, from the events of a consignment; pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.contracts.base import Event, day
from shared.contracts.custody import (
    ConsignmentDeparted,
    ConsignmentPlanned,
    HandOverGiven,
    HandOverReceived,
    UnitHandedOver,
)
from shared.documents import indonesian


@dataclass(frozen=True, slots=True)
class HandOver:
    """Both halves of a hand-over, and what was found of each unit."""

    received: HandOverReceived
    given: HandOverGiven | None
    units: Sequence[UnitHandedOver]

    @property
    def people(self) -> set[str]:
        given = {self.given.given_by} if self.given else set()
        return {self.received.received_by, *given}


def hand_over(events: Iterable[Event], units: Iterable[Event], leg: int) -> HandOver | None:
    """The hand-over of this leg, once it was received."""
    of_leg = [each for each in events if getattr(each, "leg", None) == leg]
    received = next((each for each in of_leg if isinstance(each, HandOverReceived)), None)
    if received is None:
        return None
    given = [each for each in of_leg if isinstance(each, HandOverGiven)]
    found = [
        each
        for each in units
        if isinstance(each, UnitHandedOver)
        and (each.consignment, each.leg) == (received.consignment, leg)
    ]
    return HandOver(received, given[-1] if given else None, found)


def bast(found: HandOver, layout: Mapping[str, Any]) -> dict[str, Any]:
    """The record of a hand-over; persons by id."""
    said = found.received
    conditions = layout["conditions"]
    return {
        "letterhead": layout["letterhead"],
        "day": indonesian.day_of(day(said.received_at)),
        "clock": indonesian.clock(said.received_at),
        "place": said.place,
        "consignment": said.consignment,
        "leg": str(said.leg),
        "giver": {"office": said.giver, "person": found.given.given_by if found.given else ""},
        "receiver": {"office": said.receiver, "person": said.received_by},
        "given": str(said.given),
        "received": str(said.received),
        "units": [
            {
                "unit": each.unit,
                "seal": each.seal or "tidak ada",
                "condition": conditions[each.condition],
            }
            for each in found.units
        ],
        "missing": said.missing,
        "attended_by": said.attended_by,
    }


def note(
    planned: ConsignmentPlanned, departed: ConsignmentDeparted, layout: Mapping[str, Any]
) -> dict[str, Any]:
    """The consignment note (surat jalan) with its manifest; persons by id."""
    manifest = planned.manifest
    return {
        "letterhead": layout["letterhead"],
        "consignment": planned.consignment,
        "tps": planned.tps or "",
        "route": [node.model_dump() for node in planned.route],
        "window": [_at(planned.release_from), _at(planned.release_until)],
        "departed": _at(departed.departed_at),
        "manifest": manifest.model_dump()
        | {
            name: indonesian.grouped(getattr(manifest, name))
            for name in ("koli", "sheets", "weight_kg")
        },
        "units": planned.units,
    }


def people_of(planned: ConsignmentPlanned) -> set[str]:
    manifest = planned.manifest
    return {manifest.driver, *manifest.escorts, *manifest.observers}


def _at(at: datetime) -> str:
    return indonesian.moment(at)
