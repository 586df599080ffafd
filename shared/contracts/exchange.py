"""What exchange publishes: agencies, letters and their life, notices, assignments."""

from typing import ClassVar, Literal

from shared.contracts.base import (
    Clock,
    Count,
    Event,
    Id,
    Instant,
    Person,
    PersonRegistration,
    Positive,
    RegionCode,
    Sha256,
    Text,
    Value,
)

LetterKind = Literal["security-request", "supplementary", "notification", "report"]
NoticeTopic = Literal["site", "departure", "incident", "endpoint"]
EndpointTopic = Literal["site", "departure", "incident", "endpoint", "letter"]
LetterState = Literal[
    "drafted", "issued", "dispatched", "acknowledged", "followed-up", "closed", "refused"
]


class Exchange(Event):
    service: ClassVar[str] = "exchange"


class ClockMoved(Exchange, Clock):
    """The business clock was moved."""

    fact = "moved"


class PersonRegistered(Exchange, PersonRegistration):
    """The vault keeps a record of the person."""

    fact = "registered"


class PersonForgotten(Exchange, Person):
    """Record and salt were deleted."""

    fact = "forgotten"


# Directory


class Office(Value):
    """An office of an agency: who a letter is for the attention of (u.p.)."""

    office: Id
    title: Text
    rank: Positive
    """1 is the highest; orders the tembusan."""


class AgencyRegistered(Exchange):
    """An agency, or its new description. Its jurisdiction is a set of region codes."""

    kind = "agency"
    fact = "registered"
    agency: Id
    name: Text
    sector: Literal["kpu", "bawaslu", "police", "military", "prosecutor", "government", "other"]
    jurisdiction: tuple[RegionCode, ...]
    offices: tuple[Office, ...]
    notices: tuple[Literal["site", "departure", "incident"], ...]
    """Topics on which it wants automatic notices."""

    @property
    def stream(self) -> str:
        return f"agency-{self.agency}"

    @property
    def regions(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((self.region, *self.jurisdiction)))


# Letters (naskah dinas)


class NumberTaken(Exchange):
    """`serial` of `year` in the book `<classification>-<SD|BA>.<work unit>` is `letter`'s."""

    kind = "register"
    fact = "number-taken"
    book: Id
    year: Positive
    serial: Positive
    letter: Id

    @property
    def series(self) -> str:
        """Serials are gapless within a series: a book in a year."""
        return f"{self.book}.{self.year}"

    @property
    def stream(self) -> str:
        return f"register-{self.book}"


class AttachedSite(Value):
    """A row of attachment I: factories and warehouses."""

    site: Id
    name: Text
    function: Text
    region: RegionCode
    address: Text
    owner: Text
    latitude_udeg: int
    longitude_udeg: int
    capacity_m2: Count
    cctv: bool
    opens_on: str = ""
    closes_on: str = ""
    contact: str = ""


class ScheduleRow(Value):
    """A row of attachment II: distribution to a kelurahan."""

    region: RegionCode
    name: Text
    stations: Count
    boxes: Count
    starts_at: Instant
    ends_at: Instant


class Letter(Exchange):
    kind = "letter"
    letter: Id

    @property
    def stream(self) -> str:
        return f"letter-{self.letter}"


class LetterDrafted(Letter):
    """`attention` is the office after `u.p.`; `copies` the tembusan (office ids), by rank."""

    fact = "drafted"
    letter_kind: LetterKind
    sender: Id
    addressee: Id
    attention: Id
    copies: tuple[Id, ...]
    subject: Text
    body: Text
    nature: Literal["biasa", "penting", "segera", "rahasia"]
    sites: tuple[AttachedSite, ...]
    schedule: tuple[ScheduleRow, ...]
    supplements: Id | None = None
    changes: tuple["SiteChange", ...] = ()
    """Of a supplementary letter: what changed since the letter that it supplements."""


class SiteChange(Value):
    site: Id
    change: Literal["added", "ready", "rejected", "replaced"]
    replaced_by: Id | None = None
    detail: str = ""


class LetterAmended(Letter):
    """A draft that was not issued yet has other differences: `sites` and `changes` as now."""

    fact = "amended"
    sites: tuple[AttachedSite, ...]
    changes: tuple[SiteChange, ...]


class LetterIssued(Letter):
    """The letter has its number and is signed; `answer_due` starts to count."""

    fact = "issued"
    number: Text
    series: Id
    serial: Positive
    signer: Id
    answer_due: Instant


class LetterRendered(Letter):
    """The issued letter as a document, which is kept by its hash."""

    fact = "rendered"
    sha256: Sha256
    """Of the document's bytes."""
    content_sha256: Sha256
    """Of what was rendered: printed in the document, a person counting by the record's hash."""
    bytes: Positive
    media_type: Text


class LetterDispatched(Letter):
    fact = "dispatched"
    carrier: Literal["nats", "webhook", "email", "courier"]
    follow_up_due: Instant


class LetterAcknowledged(Letter):
    fact = "acknowledged"
    agency: Id
    receipt_number: str = ""


class Assignment(Value):
    """A security unit assigned to a site."""

    site: Id
    security_unit: Text
    personnel: Positive
    shifts: Positive
    rings: tuple[Literal["inside", "outside", "road"], ...]


class LetterFollowedUp(Letter):
    fact = "followed-up"
    agency: Id
    assignments: tuple[Assignment, ...]
    order_number: str = ""
    """Number of the surat perintah."""


class LetterRefused(Letter):
    fact = "refused"
    agency: Id
    reason: Text


class LetterClosed(Letter):
    fact = "closed"
    note: Text


class LetterEscalated(Letter):
    """A deadline passed without an answer; the superior office is told."""

    fact = "escalated"
    step: Literal["acknowledge", "follow-up"]
    due: Instant
    to_office: Id


class CoverageClosed(Exchange):
    """A site was withdrawn: what was assigned to it ends."""

    kind = "coverage"
    fact = "closed"
    site: Id
    reason: Text

    @property
    def stream(self) -> str:
        return f"coverage-{self.site}"


# Notices


class NoticeSent(Exchange):
    """An automatic notice to every agency of the jurisdiction about a fact of another service."""

    kind = "notice"
    fact = "sent"
    notice: Id
    topic: NoticeTopic
    about: Text
    """Type of the fact."""
    subject: Id
    """Site, consignment, incident or endpoint."""
    agencies: tuple[Id, ...]
    summary: Text
    concerned: tuple[RegionCode, ...] = ()
    """Every region that the fact concerns, where it is more than `region`."""

    @property
    def stream(self) -> str:
        return f"notice-{self.notice}"

    @property
    def regions(self) -> tuple[str, ...]:
        return self.concerned or (self.region,)


# Endpoints: where an agency receives webhooks


class Endpoint(Exchange):
    kind = "endpoint"
    endpoint: Id
    agency: Id

    @property
    def stream(self) -> str:
        return f"endpoint-{self.endpoint}"


class EndpointDescribed(Endpoint):
    """What an endpoint is told: facts on these topics, of these regions of its agency's."""

    url: Text
    topics: tuple[EndpointTopic, ...]
    within: tuple[RegionCode, ...]
    """None: the agency's whole jurisdiction."""

    @property
    def regions(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((self.region, *self.within)))


class EndpointRegistered(EndpointDescribed):
    fact = "registered"


class EndpointChanged(EndpointDescribed):
    fact = "changed"


class EndpointSecretRotated(Endpoint):
    """The endpoint has its next secret; the one before it signs beside it for a while."""

    fact = "secret-rotated"
    overlap_seconds: Count


class EndpointDisabled(Endpoint):
    """Nothing more is sent: somebody asked for it, nothing got through for days, or it is gone."""

    fact = "disabled"
    reason: Literal["asked", "failing", "gone"]


class EndpointEnabled(Endpoint):
    fact = "enabled"
