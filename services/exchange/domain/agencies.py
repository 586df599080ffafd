"""The directory: agencies, their offices, and the regions and topics that concern them."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, StringConstraints

from services.exchange.domain.errors import ForeignOffice, UnknownAgency, UnknownOffice
from shared.contracts.base import Event, RegionCode, Text
from shared.contracts.exchange import AgencyRegistered, Office
from shared.eventstore.command import Command

AgencyId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9\-]{0,39}$")]
"""Without dots: an office is `<agency>.<office>`."""

OfficeId = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9\-]{0,39}\.[A-Za-z0-9\-]{1,38}$")
]

Agency = AgencyRegistered | None
"""The state of an agency's stream: its latest description."""


class RegisterAgency(Command):
    """Register an agency with its offices, or describe it anew."""

    name: ClassVar[str] = "register-agency"
    roles: ClassVar[frozenset[str]] = frozenset({"operator", "registrar", "admin"})

    agency: AgencyId
    agency_name: Text
    sector: Literal["kpu", "bawaslu", "police", "military", "prosecutor", "government", "other"]
    region: RegionCode
    jurisdiction: tuple[RegionCode, ...] = Field(min_length=1, max_length=600)
    offices: tuple[Office, ...] = Field(min_length=1, max_length=100)
    notices: tuple[Literal["site", "departure", "incident"], ...] = ()

    def streams(self) -> tuple[str, ...]:
        return (stream(self.agency),)


def stream(agency: str) -> str:
    return f"agency-{agency}"


def agency_of(office: str) -> str:
    """`POLDA-METRO-JAYA.KARO-OPS` -> `POLDA-METRO-JAYA`."""
    return office.partition(".")[0]


def register_agency(
    command: RegisterAgency, states: Mapping[str, Any], context: Any
) -> Sequence[Event]:
    foreign = [each.office for each in command.offices if agency_of(each.office) != command.agency]
    if foreign:
        raise ForeignOffice(f"{foreign[0]} is not an office of {command.agency}.", offices=foreign)
    fields = command.model_dump(exclude={"agency_name", "occurred_at"})
    registered = AgencyRegistered(name=command.agency_name, **fields)
    return () if registered == states[stream(command.agency)] else (registered,)


def evolve(state: Agency, event: Event) -> Agency:
    return event if isinstance(event, AgencyRegistered) else state


def require(states: Mapping[str, Any], agency: str) -> AgencyRegistered:
    """The agency's description, or `UnknownAgency`."""
    known: Agency = states[stream(agency)]
    if known is None:
        raise UnknownAgency(f"Agency {agency} is not in the directory.", agency=agency)
    return known


def require_office(states: Mapping[str, Any], office: str) -> Office:
    """The office with its rank, or `UnknownOffice`."""
    agency = require(states, agency_of(office))
    for each in agency.offices:
        if each.office == office:
            return each
    raise UnknownOffice(f"{agency.agency} has no office {office}.", office=office)


def highest_office(agency: AgencyRegistered) -> Office:
    """Who is told when nobody below answers."""
    return min(agency.offices, key=lambda office: (office.rank, office.office))
