"""Drafting a letter: addressee u.p. office, tembusan by rank, two attachments."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, StringConstraints, model_validator

from services.exchange.domain import agencies, letters
from services.exchange.domain.agencies import AgencyId, OfficeId
from services.exchange.domain.errors import AlreadyExists, ForeignOffice, NotSender
from services.exchange.domain.facts import Attachments
from shared.contracts.base import Event, Instant, RegionCode, Text, Value
from shared.contracts.exchange import LetterDrafted, ScheduleRow
from shared.eventstore.command import Command

LetterId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9.\-]{0,59}$")]
"""Short enough for `<letter>-S<n>`, the id of a supplement, to be an id too."""


class Schedule(Value):
    """When the kelurahan of the region are supplied."""

    starts_at: Instant
    ends_at: Instant

    @model_validator(mode="after")
    def _forwards(self) -> "Schedule":
        if self.ends_at <= self.starts_at:
            raise ValueError("ends_at must be after starts_at")
        return self


class DraftLetter(Command):
    """Draft a letter about a region.

    `attention` is the office after `u.p.`, `copies` the tembusan (office ids, ordered by rank when
    drafted). `attach_sites` attaches the places of the region that are ready (attachment I), a
    `schedule` the distribution to each kelurahan (attachment II).
    """

    name: ClassVar[str] = "draft-letter"
    roles: ClassVar[frozenset[str]] = frozenset({"registrar"})

    letter: LetterId
    letter_kind: Literal["security-request", "notification", "report"]
    region: RegionCode
    sender: AgencyId
    addressee: AgencyId
    attention: OfficeId
    copies: tuple[OfficeId, ...] = Field((), max_length=50)
    subject: Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True)]
    body: Text
    nature: Literal["biasa", "penting", "segera", "rahasia"] = "biasa"
    attach_sites: bool = False
    schedule: Schedule | None = None

    @model_validator(mode="after")
    def _each_copy_once(self) -> "DraftLetter":
        if len(set(self.copies)) != len(self.copies):
            raise ValueError("copies name an office twice")
        return self

    def streams(self) -> tuple[str, ...]:
        named = (self.sender, self.addressee, *map(agencies.agency_of, self.copies))
        return (letters.stream(self.letter), *map(agencies.stream, dict.fromkeys(named)))


def draft_letter(command: DraftLetter, states: Mapping[str, Any], context: Any) -> Sequence[Event]:
    if states[letters.stream(command.letter)].drafted is not None:
        raise AlreadyExists(f"Letter {command.letter} was drafted already.", letter=command.letter)
    if command.sender != context.agency and not command.sender.startswith(f"{context.agency}-"):
        raise NotSender(f"{context.agency} writes no letters of {command.sender}.")
    _check_parties(command, states)
    known = context.facts.attachments.get(command.region) or Attachments()
    drafted = LetterDrafted(
        region=command.region,
        letter=command.letter,
        letter_kind=command.letter_kind,
        sender=command.sender,
        addressee=command.addressee,
        attention=command.attention,
        copies=_by_rank(command.copies, states),
        subject=command.subject,
        body=command.body,
        nature=command.nature,
        sites=known.sites if command.attach_sites else (),
        schedule=_schedule(command.schedule, known),
    )
    return (drafted,)


def _check_parties(command: DraftLetter, states: Mapping[str, Any]) -> None:
    agencies.require(states, command.sender)
    agencies.require(states, command.addressee)
    if agencies.agency_of(command.attention) != command.addressee:
        raise ForeignOffice(f"{command.attention} is not an office of {command.addressee}.")
    agencies.require_office(states, command.attention)


def _by_rank(copies: Sequence[str], states: Mapping[str, Any]) -> tuple[str, ...]:
    """Office-holders of one rank stay in the order in which they were named."""
    return tuple(sorted(copies, key=lambda copy: agencies.require_office(states, copy).rank))


def _schedule(schedule: Schedule | None, known: Attachments) -> tuple[ScheduleRow, ...]:
    if schedule is None:
        return ()
    return tuple(
        ScheduleRow(
            region=row.region,
            name=row.name,
            stations=row.stations,
            boxes=row.boxes,
            starts_at=schedule.starts_at,
            ends_at=schedule.ends_at,
        )
        for row in known.kelurahan
    )
