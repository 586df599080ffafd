"""What custody publishes: seals, units, consignments, hand-overs, incidents."""

from typing import Annotated, ClassVar, Literal

from pydantic import StringConstraints

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
    Text,
    Value,
)

IncidentId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9.\-]{0,255}$")]
"""Made of a kind, a subject and a consignment or place, so longer than an `Id`."""

SealReading = Annotated[str, StringConstraints(min_length=1, max_length=80)]
"""What a person reads on a seal; it need not be a number that exists."""

UnitKind = Literal["box", "recap-box", "koli"]
Condition = Literal["good", "damaged"]
Standing = Literal[
    "unknown",
    "registered",
    "loaded",
    "in-transit",
    "delivered",
    "orphan",
    "missing",
    "found",
    "voided",
]
Direction = Literal["delivery", "outbound", "return"]
IncidentKind = Literal[
    "seal-missing",
    "seal-different",
    "count-variance",
    "wrong-destination",
    "unregistered-place",
    "damaged",
    "late",
    "early-release",
    "outside-hours",
    "supervisor-absent",
]

BREAKS_CHAIN: frozenset[str] = frozenset(
    {"seal-missing", "seal-different", "count-variance", "wrong-destination", "unregistered-place"}
)
"""Incidents after which control over the unit was uncertain for a time (US EAC: a break)."""


class Custody(Event):
    service: ClassVar[str] = "custody"


class ClockMoved(Custody, Clock):
    """The business clock was moved."""

    fact = "moved"


class PersonRegistered(Custody, PersonRegistration):
    """The vault keeps a record of the person."""

    fact = "registered"


class PersonForgotten(Custody, Person):
    """Record and salt were deleted."""

    fact = "forgotten"


# Seals: a roll is the thousand numbers that share a prefix, so a number belongs to one stream


class SealRoll(Custody):
    kind = "seal-roll"
    roll: Id

    @property
    def stream(self) -> str:
        return f"seal-roll-{self.roll}"


class SealRollLogged(SealRoll):
    """Seal numbers `<roll><000..999>`, from `first` to `last`, were logged before use."""

    fact = "logged"
    first: Count
    last: Count


class AppliedSeal(Value):
    seal: Id
    unit: Id


class SealsApplied(SealRoll):
    fact = "applied"
    seals: tuple[AppliedSeal, ...]


# Units: a box or a koli, each with its own stream


class Unit(Custody):
    kind = "unit"
    unit: Id

    @property
    def stream(self) -> str:
        return f"unit-{self.unit}"


class UnitRegistered(Unit):
    """A unit begins its life at `place` in the custody of `custodian` (an office)."""

    fact = "registered"
    unit_kind: UnitKind
    contents: Text
    home: RegionCode
    """The region that it is meant for."""
    tps: Id | None = None
    place: Id
    custodian: Id


class UnitSealed(Unit):
    """A logged seal was put on; `replaces` names the one that was opened."""

    fact = "sealed"
    seal: Id
    place: Id
    replaces: Id | None = None


class UnitLoaded(Unit):
    """The unit is on this consignment, and on no other, until the last hand-over or its removal."""

    fact = "loaded"
    consignment: Id


class UnitUnloaded(Unit):
    fact = "unloaded"
    consignment: Id
    reason: Text


class UnitHandedOver(Unit):
    """Custody passed between two offices, both confirming; `seal` is the number that was found."""

    fact = "handed-over"
    consignment: Id
    leg: Positive
    giver: Id
    receiver: Id
    place: Id
    seal: SealReading | None = None
    condition: Condition
    bast: Text
    final: bool
    """The last leg: the unit leaves the consignment."""


class UnitScanned(Unit):
    """The unit was seen at `place` without a change of custody."""

    fact = "scanned"
    place: Id
    office: Id


class UnitLeft(Unit):
    """The unit leaves the chain: `custodian` was answerable until then, its standing `was`."""

    custodian: Id
    was: Standing


class UnitOrphaned(UnitLeft):
    """Received where nobody expected it; `office` holds it until it is forwarded."""

    fact = "orphaned"
    place: Id
    office: Id


class UnitRecovered(Unit):
    """An orphan was handed to the office that should have had it; its consignment goes on."""

    fact = "recovered"
    giver: Id
    receiver: Id
    place: Id
    seal: SealReading | None = None
    condition: Condition
    bast: Text


class UnitMissing(UnitLeft):
    """Given but not received."""

    fact = "missing"
    consignment: Id
    leg: Positive
    place: Id


class UnitFound(Unit):
    fact = "found"
    place: Id
    office: Id


class UnitVoided(UnitLeft):
    """The unit no longer counts; `replaced_by` takes its place and is marked as a replacement."""

    fact = "voided"
    reason: Text
    replaced_by: Id | None = None


# Consignments


class Consignment(Custody):
    kind = "consignment"
    consignment: Id
    tps: Id | None = None
    route_regions: tuple[RegionCode, ...] = ()

    @property
    def stream(self) -> str:
        return f"consignment-{self.consignment}"

    @property
    def regions(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((self.region, *self.route_regions)))


class Node(Value):
    """A place on the planned route, the office that takes over there, and the region of both."""

    place: Id
    office: Id
    region: RegionCode


class Manifest(Value):
    """The fields of a real manifest; persons by id."""

    vehicle: Text
    plate: Text
    driver: Id
    koli: Count
    sheets: Count
    weight_kg: Count
    container: str = ""
    escorts: tuple[Id, ...] = ()
    observers: tuple[Id, ...] = ()


class ConsignmentPlanned(Consignment):
    """`route[0]` is the origin with its custodian; each further node is a leg with a hand-over."""

    fact = "planned"
    direction: Direction
    route: tuple[Node, ...]
    units: tuple[Id, ...]
    release_from: Instant
    release_until: Instant
    manifest: Manifest


class ConsignmentDeparted(Consignment):
    fact = "departed"
    place: Id
    departed_at: Instant
    units: Count


class UnitState(Value):
    """What one party confirms of one unit: the seal that it read (or none) and the condition."""

    unit: Id
    seal: SealReading | None = None
    condition: Condition = "good"


class DepartureRefused(Consignment):
    """Somebody tried to leave before the release window opened."""

    fact = "departure-refused"
    attempted_at: Instant
    reason: Text


class ConsignmentUnloaded(Consignment):
    """These units were taken off; the others go on."""

    fact = "unloaded"
    units: tuple[Id, ...]
    reason: Text


class HandOverGiven(Consignment):
    """The giver's confirmation at `place`: first half of a hand-over."""

    kind = "hand-over"
    fact = "given"
    leg: Positive
    giver: Id
    receiver: Id
    place: Id
    given_by: Text
    """Person id of who confirmed for the giver."""
    units: Count


class UnitsAbsent(Consignment):
    """Units of the consignment that the giver of this leg does not have."""

    kind = "hand-over"
    fact = "units-absent"
    leg: Positive
    giver: Id
    units: tuple[Id, ...]


class HandOverReceived(Consignment):
    """The receiver's confirmation: custody has passed. `bast` is the number of the berita acara."""

    kind = "hand-over"
    fact = "received"
    leg: Positive
    giver: Id
    receiver: Id
    place: Id
    received_by: Text
    """Person id of who confirmed for the receiver: another than the giver's."""
    bast: Text
    given: Count
    received: Count
    missing: tuple[Id, ...]
    attended_by: tuple[Id, ...]
    """Agencies whose officer attended."""
    received_at: Instant
    final: bool


class ConsignmentCancelled(Consignment):
    fact = "cancelled"
    reason: Text


# Incidents


class Incident(Custody):
    """`incident` is `<incident_kind>.<subject>.<consignment>.<leg>`, or ends in the place where a
    unit was seen, so that one occurrence exists once."""

    kind = "incident"
    incident: IncidentId
    incident_kind: IncidentKind
    unit: Id | None = None
    tps: Id | None = None
    consignment: Id | None = None
    leg: Count = 0

    @property
    def stream(self) -> str:
        return f"incident-{self.incident}"


class IncidentRaised(Incident):
    fact = "raised"
    units: tuple[Id, ...] = ()
    """Units whose chain this incident breaks, when its kind is in `BREAKS_CHAIN`."""
    place: str = ""
    detail: Text


class IncidentClosed(Incident):
    fact = "closed"
    remedy: Text
