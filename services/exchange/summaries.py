"""What a notice says, in the users' language, of each fact that makes one."""

from collections.abc import Callable
from typing import Any

from shared.contracts import custody, inventory
from shared.contracts.base import WIB_OFFSET

SummaryOf = Callable[[Any], tuple[str, str]]
"""The subject of a fact (its site, consignment or incident), and a sentence about it."""


def _ready(event: inventory.SiteReady) -> tuple[str, str]:
    return event.site, f"Tempat {event.site} siap, {event.opens_on} sampai {event.closes_on}."


def _rejected(event: inventory.SiteRejected) -> tuple[str, str]:
    return event.site, f"Tempat {event.site} tidak dipakai: {event.reason}"[:2000]


def _replaced(event: inventory.SiteReplaced) -> tuple[str, str]:
    return event.site, f"Tempat {event.site} diganti oleh {event.replaced_by}."


def _departed(event: custody.ConsignmentDeparted) -> tuple[str, str]:
    at = (event.departed_at + WIB_OFFSET).strftime("%d-%m-%Y %H:%M WIB")
    return event.consignment, (
        f"Kiriman {event.consignment} berangkat dari {event.place} pada {at}: {event.units} unit."
    )


def _incident(event: custody.IncidentRaised) -> tuple[str, str]:
    text = f"Insiden {event.incident_kind} pada {event.unit or event.tps or event.incident}"
    return event.incident, f"{text}: {event.detail}"[:2000]


SUMMARIES: dict[str, SummaryOf] = {
    inventory.SiteReady.type: _ready,
    inventory.SiteRejected.type: _rejected,
    inventory.SiteReplaced.type: _replaced,
    custody.ConsignmentDeparted.type: _departed,
    custody.IncidentRaised.type: _incident,
}

TOPICS = {
    inventory.SiteReady.type: "site",
    inventory.SiteRejected.type: "site",
    inventory.SiteReplaced.type: "site",
    custody.ConsignmentDeparted.type: "departure",
    custody.IncidentRaised.type: "incident",
}
