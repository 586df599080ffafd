"""Storage sites: proposed, surveyed, letter to the owner, ready, rejected, replaced."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from services.inventory.domain.errors import AlreadyExists, SiteNotReady, WrongState
from services.inventory.domain.ids import Name
from shared.contracts.base import Count, Event, Id, RegionCode, Text
from shared.contracts.inventory import (
    Checklist,
    OwnerLetterSent,
    SiteFunction,
    SiteInspected,
    SiteProposed,
    SiteReady,
    SiteRejected,
    SiteReplaced,
    SiteState,
    SiteSurveyed,
)
from shared.errors import NotFound
from shared.eventstore.command import Command


@dataclass(frozen=True, slots=True)
class Site:
    region: str = ""
    state: SiteState | None = None


class SiteCommand(Command):
    roles: ClassVar[frozenset[str]] = frozenset({"operator"})

    site: Name

    def streams(self) -> tuple[str, ...]:
        return (stream(self.site),)


class ProposeSite(SiteCommand):
    """Propose a storage place, printer or post; coordinates in integer microdegrees (WGS 84)."""

    name: ClassVar[str] = "propose-site"

    region: RegionCode
    site_name: Text
    function: SiteFunction
    address: Text
    owner: Text
    latitude_udeg: int = Field(ge=-90_000_000, le=90_000_000)
    longitude_udeg: int = Field(ge=-180_000_000, le=180_000_000)
    capacity_m2: Count
    cctv: bool
    unchanged: bool


class SurveySite(SiteCommand):
    """Survey a proposed place against the warehouse standard; gaps do not stop it, they show."""

    name: ClassVar[str] = "survey-site"

    checklist: Checklist


class SendOwnerLetter(SiteCommand):
    """Ask the owner in writing for the use of the place."""

    name: ClassVar[str] = "send-owner-letter"

    letter_number: Text


class ConfirmSite(SiteCommand):
    """The place is ready from `opens_on` to `closes_on`; `contact` is a person id."""

    name: ClassVar[str] = "confirm-site"

    opens_on: date
    closes_on: date
    contact: Id

    @model_validator(mode="after")
    def in_order(self) -> "ConfirmSite":
        if self.closes_on < self.opens_on:
            raise ValueError("the site closes before it opens")
        return self


class RejectSite(SiteCommand):
    """The place cannot be used, or no longer."""

    name: ClassVar[str] = "reject-site"

    reason: Text


class ReplaceSite(SiteCommand):
    """Another place, known already, takes this one's part."""

    name: ClassVar[str] = "replace-site"

    replaced_by: Name

    def streams(self) -> tuple[str, ...]:
        return tuple({stream(self.site), stream(self.replaced_by)})


class InspectSite(SiteCommand):
    """An entry of the hazard and inspection log of a place."""

    name: ClassVar[str] = "inspect-site"

    hazard: Literal["none", "flood", "leak", "fire", "pests", "unrest"]
    note: Text


def stream(site: str) -> str:
    return f"site-{site}"


def propose_site(command: ProposeSite, states: Mapping[str, Any], context: Any) -> Sequence[Event]:
    if states[stream(command.site)].state:
        raise AlreadyExists(f"Site {command.site} was proposed already.")
    fields = command.model_dump(exclude={"occurred_at", "site_name"})
    return (SiteProposed(name=command.site_name, **fields),)


def survey_site(command: SurveySite, states: Mapping[str, Any], context: Any) -> Sequence[Event]:
    site = in_state(states, command.site, "proposed", "surveyed", "letter-to-owner")
    points = command.checklist.model_dump()
    gaps = tuple(point for point, met in points.items() if not met)
    return (
        SiteSurveyed(region=site.region, site=command.site, checklist=command.checklist, gaps=gaps),
    )


def send_owner_letter(
    command: SendOwnerLetter, states: Mapping[str, Any], context: Any
) -> Sequence[Event]:
    site = in_state(states, command.site, "proposed", "surveyed")
    return (
        OwnerLetterSent(region=site.region, site=command.site, letter_number=command.letter_number),
    )


def confirm_site(command: ConfirmSite, states: Mapping[str, Any], context: Any) -> Sequence[Event]:
    site = in_state(states, command.site, "surveyed", "letter-to-owner")
    return (
        SiteReady(
            region=site.region,
            site=command.site,
            opens_on=command.opens_on.isoformat(),
            closes_on=command.closes_on.isoformat(),
            contact=command.contact,
        ),
    )


def reject_site(command: RejectSite, states: Mapping[str, Any], context: Any) -> Sequence[Event]:
    site = in_state(states, command.site, "proposed", "surveyed", "letter-to-owner", "ready")
    return (SiteRejected(region=site.region, site=command.site, reason=command.reason),)


def replace_site(command: ReplaceSite, states: Mapping[str, Any], context: Any) -> Sequence[Event]:
    possible = ("proposed", "surveyed", "letter-to-owner", "ready", "rejected")
    site = in_state(states, command.site, *possible)
    if command.replaced_by == command.site:
        raise WrongState(f"Site {command.site} cannot replace itself.")
    in_state(states, command.replaced_by, *possible[:-1])
    return (SiteReplaced(region=site.region, site=command.site, replaced_by=command.replaced_by),)


def inspect_site(command: InspectSite, states: Mapping[str, Any], context: Any) -> Sequence[Event]:
    site = require(states, command.site)
    return (
        SiteInspected(
            region=site.region, site=command.site, hazard=command.hazard, note=command.note
        ),
    )


STATE_AFTER: dict[type[Event], SiteState] = {
    SiteProposed: "proposed",
    SiteSurveyed: "surveyed",
    OwnerLetterSent: "letter-to-owner",
    SiteReady: "ready",
    SiteRejected: "rejected",
    SiteReplaced: "replaced",
}


def evolve(state: Site, event: Event) -> Site:
    """A survey after the letter to the owner does not take the letter back."""
    after = STATE_AFTER.get(type(event))
    if after is None or (after == "surveyed" and state.state == "letter-to-owner"):
        return state
    return replace(state, region=event.region, state=after)


def require(states: Mapping[str, Any], site: str) -> Site:
    """The site's state, or `NotFound`."""
    state: Site = states[stream(site)]
    if state.state is None:
        raise NotFound(f"Site {site} is not known.")
    return state


def ready(states: Mapping[str, Any], site: str) -> Site:
    """The site's state if it may hold material, or `SiteNotReady`."""
    state = require(states, site)
    if state.state != "ready":
        raise SiteNotReady(f"Site {site} is {state.state}, not ready.", state=state.state)
    return state


def in_state(states: Mapping[str, Any], site: str, *possible: SiteState) -> Site:
    state = require(states, site)
    if state.state not in possible:
        raise WrongState(
            f"Site {site} is {state.state}; it must be {' or '.join(possible)}.",
            state=state.state,
        )
    return state
