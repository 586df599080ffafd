"""Findings: something found wrong, once per kind and subject while it is open."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import model_validator

from services.inventory.domain import sites, stations
from services.inventory.domain.errors import WrongState
from services.inventory.domain.ids import Name, TpsId, kelurahan_of
from shared.contracts.base import Event, Id, Text
from shared.contracts.inventory import FindingClosed, FindingKind, FindingRaised
from shared.errors import NotFound
from shared.eventstore.command import Command


@dataclass(frozen=True, slots=True)
class Finding:
    raised: FindingRaised | None = None
    open: bool = False


class ReportHazard(Command):
    """Report a hazard (flood, fire, unrest, ...) at a polling station or a storage site."""

    name: ClassVar[str] = "report-hazard"
    roles: ClassVar[frozenset[str]] = frozenset({"operator", "custodian", "supervisor"})

    tps: TpsId | None = None
    site: Name | None = None
    hazard: Name
    note: Text

    @model_validator(mode="after")
    def one_subject(self) -> "ReportHazard":
        if (self.tps is None) == (self.site is None):
            raise ValueError("name either a polling station (tps) or a site")
        return self

    @property
    def subject(self) -> str:
        return self.tps or self.site or ""

    def streams(self) -> tuple[str, ...]:
        place = stations.stream(self.tps) if self.tps else sites.stream(self.subject)
        return (place, stream("hazard", self.subject))


class CloseFinding(Command):
    """A finding was remedied; `remedy` says how."""

    name: ClassVar[str] = "close-finding"
    roles: ClassVar[frozenset[str]] = frozenset({"operator"})

    finding: Id
    remedy: Text

    def streams(self) -> tuple[str, ...]:
        return (f"finding-{self.finding}",)


def stream(kind: FindingKind, subject: str) -> str:
    return f"finding-{kind}.{subject}"


def raised(
    states: Mapping[str, Any],
    kind: FindingKind,
    region: str,
    detail: str,
    *,
    tps: str | None = None,
    unit: str | None = None,
    site: str | None = None,
) -> tuple[Event, ...]:
    """The finding, or nothing while the same one is open; subject: tps, else unit, else site."""
    subject = tps or unit or site or ""
    if states[stream(kind, subject)].open:
        return ()
    return (
        FindingRaised(
            region=region,
            finding=f"{kind}.{subject}",
            finding_kind=kind,
            tps=tps,
            unit=unit,
            site=site,
            detail=detail,
        ),
    )


def closed(
    states: Mapping[str, Any], kind: FindingKind, subject: str, remedy: str
) -> tuple[Event, ...]:
    """The end of that finding, or nothing where none is open."""
    finding: Finding = states[stream(kind, subject)]
    return (_closed(finding.raised, remedy),) if finding.open and finding.raised else ()


def report_hazard(
    command: ReportHazard, states: Mapping[str, Any], context: Any
) -> Sequence[Event]:
    if command.tps:
        stations.require(states, command.tps)
        region = kelurahan_of(command.tps)
    else:
        region = sites.require(states, command.subject).region
    detail = f"{command.hazard}: {command.note}"
    news = raised(states, "hazard", region, detail, tps=command.tps, site=command.site)
    if not news:
        raise WrongState(f"A hazard at {command.subject} is open already.")
    return news


def close_finding(
    command: CloseFinding, states: Mapping[str, Any], context: Any
) -> Sequence[Event]:
    finding: Finding = states[f"finding-{command.finding}"]
    if finding.raised is None:
        raise NotFound(f"No finding {command.finding}.")
    if not finding.open:
        raise WrongState(f"Finding {command.finding} is closed already.")
    return (_closed(finding.raised, command.remedy),)


def _closed(finding: FindingRaised, remedy: str) -> FindingClosed:
    fields = finding.model_dump(exclude={"detail"})
    return FindingClosed(**fields, remedy=remedy)


def evolve(state: Finding, event: Event) -> Finding:
    match event:
        case FindingRaised():
            return Finding(event, open=True)
        case FindingClosed():
            return Finding(state.raised, open=False)
    return state
