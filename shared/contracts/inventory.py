"""What inventory publishes: rules, items, regions, polling stations, sites, stock, kits."""

from typing import ClassVar, Literal

from pydantic import Field

from shared.contracts.base import Clock, Count, Event, Id, Positive, Text, Value

BallotKind = Literal["PPWP", "DPR", "DPD", "DPRD_PROV", "DPRD_KAB"]
"""President, DPR, DPD, provincial council, city council; DKI elects no DPRD_KAB."""

SiteFunction = Literal["printer", "city-warehouse", "district-store", "village-post", "sorting"]
SiteState = Literal["proposed", "surveyed", "letter-to-owner", "ready", "rejected", "replaced"]
FindingKind = Literal[
    "swapped-ballots", "kit-incomplete", "delivery-variance", "sorting-variance", "hazard"
]
Condition = Literal["good", "damaged", "short"]


class Inventory(Event):
    service: ClassVar[str] = "inventory"


class ClockMoved(Inventory, Clock):
    """The business clock was moved."""

    fact = "moved"


# Rules and catalogue


class Rules(Inventory):
    kind = "rules"

    @property
    def stream(self) -> str:
        return "rules"


class RulesSet(Rules):
    """How needs are computed; source: Law 7/2017 Art. 344 (2 % reserve per polling station)."""

    fact = "set"
    reserve_permille: Count
    rounding: Literal["up", "nearest", "down"]
    revote_ballots: Count
    ballot_kinds: tuple[BallotKind, ...]
    max_voters: Positive
    recap_boxes: Count = 2
    """Recapitulation boxes for each kecamatan."""
    witnesses: tuple[str, ...] = ()
    """Beginnings of agency ids, each of which must have attended a destruction."""


class Item(Inventory):
    """The catalogue is one short stream, so that every need is computed from one version of it."""

    kind = "item"
    item: Id

    @property
    def stream(self) -> str:
        return "catalogue"


class ItemDefined(Item):
    """An item of the catalogue, or its new definition.

    `item_class`: 1 voting equipment, 2 supporting equipment, 3 other. `per_tps`: pieces for each
    polling station; 0 where the need follows from the voters (ballots) or is not per station.
    """

    fact = "defined"
    name: Text
    item_class: Literal[1, 2, 3]
    unit: Text
    per_tps: Count


class ItemRetired(Item):
    fact = "retired"
    reason: Text


# Regions and polling stations


class RegionRegistered(Inventory):
    """A region and its electoral districts (dapil) per ballot kind."""

    kind = "region"
    fact = "registered"
    name: Text
    level: Literal["province", "city", "kecamatan", "kelurahan"]
    dapil: dict[BallotKind, str] = Field(default_factory=dict)

    @property
    def stream(self) -> str:
        return f"region-{self.region}"


class PollingStation(Inventory):
    """`tps` is `<kelurahan code>-<number, three digits>`; `region` its kelurahan."""

    kind = "polling-station"
    tps: Id

    @property
    def stream(self) -> str:
        return f"tps-{self.tps}"


class PollingStationRegistered(PollingStation):
    """`source`: where the count came from; `apportioned` is an estimate, shown as such."""

    fact = "registered"
    number: Positive
    voters: Count
    special: bool = False
    source: Literal["apportioned", "imported", "official"]


class NeedsCalculated(PollingStation):
    """What the polling station needs, reserve included: ballots per kind, pieces per item."""

    fact = "needs-calculated"
    voters: Count
    ballots: dict[BallotKind, Count]
    dapil: dict[BallotKind, str]
    items: dict[str, Count]


class PollingPostponed(PollingStation):
    """Voting at this station does not take place on voting day (flood, shortage, unrest)."""

    fact = "postponed"
    reason: Text


# Storage sites


class Site(Inventory):
    kind = "site"
    site: Id

    @property
    def stream(self) -> str:
        return f"site-{self.site}"


class SiteProposed(Site):
    """A storage place, printer or post. Coordinates in integer microdegrees (WGS 84)."""

    fact = "proposed"
    name: Text
    function: SiteFunction
    address: Text
    owner: Text
    latitude_udeg: int
    longitude_udeg: int
    capacity_m2: Count
    cctv: bool
    unchanged: bool
    """The same place as at the last election."""


class Checklist(Value):
    """The warehouse standard; every point true means that the place passes."""

    flood_free: bool
    electricity: bool
    cctv: bool
    safe_gate: bool
    sound_building: bool
    ventilation: bool
    pallets: bool
    truck_access: bool
    extinguisher: bool
    anti_termite: bool
    handling_tools: bool
    guards: bool


class SiteSurveyed(Site):
    fact = "surveyed"
    checklist: Checklist
    gaps: tuple[str, ...]
    """Names of the points that are not met."""


class OwnerLetterSent(Site):
    """A letter asking the owner for the use of the place was written."""

    fact = "owner-letter-sent"
    letter_number: Text


class SiteReady(Site):
    fact = "ready"
    opens_on: str
    closes_on: str
    contact: Id
    """Person id of the contact."""


class SiteRejected(Site):
    fact = "rejected"
    reason: Text


class SiteReplaced(Site):
    fact = "replaced"
    replaced_by: Id


class SiteInspected(Site):
    """An entry of the hazard and inspection log."""

    fact = "inspected"
    hazard: Literal["none", "flood", "leak", "fire", "pests", "unrest"]
    note: Text


# Stock: one ledger per site, item and variant (a ballot's variant is `<kind>.<dapil>`)


class Stock(Inventory):
    kind = "stock"
    site: Id
    item: Id
    variant: str = ""

    @property
    def stream(self) -> str:
        return ledger(self.site, self.item, self.variant)


def ledger(site: str, item: str, variant: str = "") -> str:
    """The stream of the stock of `item` at `site`."""
    return f"stock-{site}/{item}/{variant}" if variant else f"stock-{site}/{item}"


class StockReceived(Stock):
    """In: against a delivery note; `sent` is what the note says, the rest what was counted."""

    fact = "received"
    document: Text
    sent: Count
    good: Count
    damaged: Count
    short: Count
    reason: Literal["delivery", "rebalance", "replacement", "revote-stock", "return"]


class StockSorted(Stock):
    """Sort and fold: of `sorted` good pieces, `damaged` turned out damaged and `short` missing."""

    fact = "sorted"
    sorted: Count
    damaged: Count
    short: Count


class StockIssued(Stock):
    """Out: `quantity` good pieces left the ledger for `purpose`."""

    fact = "issued"
    quantity: Positive
    reason: Literal["packing", "rebalance", "recount"]
    purpose: Text


class StockDamaged(Stock):
    """`quantity` good pieces are now damaged."""

    fact = "damaged"
    quantity: Positive
    note: Text


class StockDestroyed(Stock):
    """Damaged or surplus pieces were destroyed: numbered record, witnesses (agency ids)."""

    fact = "destroyed"
    good: Count
    damaged: Count
    record_number: Text
    witnesses: tuple[Id, ...]


class ReplacementRequested(Inventory):
    """A damaged or missing thing must be replaced."""

    kind = "replacement"
    fact = "requested"
    replacement: Id
    subject: Id
    """Unit or polling station."""
    cause: Id

    @property
    def stream(self) -> str:
        return f"replacement-{self.replacement}"


class ReplacementSupplied(Inventory):
    kind = "replacement"
    fact = "supplied"
    replacement: Id
    from_site: Id

    @property
    def stream(self) -> str:
        return f"replacement-{self.replacement}"


# Packing


class Picking(Inventory):
    """The materials of a kelurahan's kits, drawn from the stock of `site` for packing."""

    kind = "picking"
    site: Id

    @property
    def stream(self) -> str:
        return f"picking-{self.region}"


class PickingDrawn(Picking):
    fact = "drawn"
    stations: tuple[Id, ...]


class PackedBox(Value):
    """A numbered box with its seal; `contents` names the ballot kind or `REKAP`."""

    unit: Id
    contents: Literal["PPWP", "DPR", "DPD", "DPRD_PROV", "DPRD_KAB", "REKAP"]
    seal: Id


class Kit(Inventory):
    kind = "kit"
    kit: Id
    """The polling station's id, or `REKAP-<kecamatan>` for recapitulation boxes."""
    site: Id

    @property
    def stream(self) -> str:
        return f"kit-{self.kit}"


class KitPacked(Kit):
    """The kit was checked against the needs, boxed and sealed; custody registers the boxes."""

    fact = "packed"
    tps: Id | None = None
    boxes: tuple[PackedBox, ...]
    ballots: dict[BallotKind, Count]
    items: dict[str, Count]


# Findings


class Finding(Inventory):
    """Something found wrong. `finding` is `<finding_kind>.<subject>`, so that it exists once."""

    kind = "finding"
    finding: Id
    finding_kind: FindingKind
    tps: Id | None = None
    unit: Id | None = None
    site: Id | None = None

    @property
    def stream(self) -> str:
        return f"finding-{self.finding}"


class FindingRaised(Finding):
    fact = "raised"
    detail: Text


class FindingClosed(Finding):
    fact = "closed"
    remedy: Text
