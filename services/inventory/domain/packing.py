"""Packing: a kit is checked against its needs, boxed and sealed."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import Field

from services.inventory.domain import findings, picking, regions, rules, sites, stations, stock
from services.inventory.domain.errors import (
    AlreadyPacked,
    KitExcess,
    KitIncomplete,
    NotDrawn,
    WrongBallots,
    WrongBoxes,
)
from services.inventory.domain.ids import (
    RECAP_BOX,
    KecamatanCode,
    Name,
    TpsId,
    Variant,
    kelurahan_of,
)
from shared.contracts.base import Count, Event, Value
from shared.contracts.inventory import (
    BallotKind,
    KitPacked,
    PackedBox,
    StockIssued,
    ledger,
)
from shared.eventstore.command import Command


class PackedBallots(Value):
    """The ballots that lie on the packing table: kind, electoral district, count."""

    kind: BallotKind
    dapil: Variant
    count: Count


class PackKit(Command):
    """Pack one polling station's kit; wrong or missing material is refused and recorded."""

    name: ClassVar[str] = "pack-kit"
    roles: ClassVar[frozenset[str]] = frozenset({"operator"})

    tps: TpsId
    site: Name
    boxes: tuple[PackedBox, ...] = Field(min_length=1, max_length=20)
    ballots: tuple[PackedBallots, ...] = Field(max_length=20)
    items: dict[Name, Count]

    def streams(self) -> tuple[str, ...]:
        return (
            stream(self.tps),
            stations.stream(self.tps),
            sites.stream(self.site),
            picking.stream(kelurahan_of(self.tps)),
            findings.stream("swapped-ballots", self.tps),
            findings.stream("kit-incomplete", self.tps),
        )


class PackRecap(Command):
    """Seal the recapitulation boxes of a kecamatan, taken from the stock of `site`."""

    name: ClassVar[str] = "pack-recap"
    roles: ClassVar[frozenset[str]] = frozenset({"operator"})

    region: KecamatanCode
    site: Name
    boxes: tuple[PackedBox, ...] = Field(min_length=1, max_length=20)

    @property
    def kit(self) -> str:
        return f"REKAP-{self.region}"

    def streams(self) -> tuple[str, ...]:
        return (
            stream(self.kit),
            sites.stream(self.site),
            rules.STREAM,
            regions.stream(self.region),
            ledger(self.site, RECAP_BOX),
        )


def stream(kit: str) -> str:
    return f"kit-{kit}"


def pack_kit(command: PackKit, states: Mapping[str, Any], context: Any) -> Sequence[Event]:
    """The kit; a finding that an earlier attempt left open ends with it."""
    needed = stations.require(states, command.tps).needs
    sites.ready(states, command.site)
    _refuse_twice(states, command.tps)
    if states[picking.stream(kelurahan_of(command.tps))].get(command.tps) != command.site:
        raise NotDrawn(f"The materials of {command.tps} were not drawn at {command.site}.")
    _check_boxes(command.boxes, f"BOX-{command.tps}", tuple(needed.ballots))
    ballots = _checked_ballots(command, needed, states)
    _check_quantities(command, needed, ballots, states)
    packed = KitPacked(
        region=kelurahan_of(command.tps),
        kit=command.tps,
        site=command.site,
        tps=command.tps,
        boxes=command.boxes,
        ballots=ballots,
        items=command.items,
    )
    return (
        packed,
        *findings.closed(states, "swapped-ballots", command.tps, "packed correctly"),
        *findings.closed(states, "kit-incomplete", command.tps, "packed completely"),
    )


def _checked_ballots(
    command: PackKit, needed: stations.Needs, states: Mapping[str, Any]
) -> dict[BallotKind, int]:
    """Ballots per kind; any of another district or kind: refused, recorded as swapped."""
    counts: Counter[BallotKind] = Counter()
    wrong = []
    for ballots in command.ballots:
        if needed.dapil.get(ballots.kind) != ballots.dapil and ballots.count:
            wrong.append(f"{ballots.kind} {ballots.dapil}")
        counts[ballots.kind] += ballots.count
    if wrong:
        detail = f"Not the ballots of {command.tps}: {', '.join(wrong)}."
        region = kelurahan_of(command.tps)
        records = findings.raised(states, "swapped-ballots", region, detail, tps=command.tps)
        raise WrongBallots(detail, records=records, wrong=wrong)
    return dict(counts)


def _check_quantities(
    command: PackKit,
    needed: stations.Needs,
    ballots: Mapping[BallotKind, int],
    states: Mapping[str, Any],
) -> None:
    """Exactly the needs: less is recorded as incomplete, more was not drawn for this kit."""
    wanted = {**needed.ballots, **needed.items}
    given = {**ballots, **command.items}
    if given == wanted:
        return
    lacking = {name: n - given.get(name, 0) for name, n in wanted.items() if given.get(name, 0) < n}
    if lacking:
        listed = ", ".join(f"{count} {name}" for name, count in lacking.items())
        detail = f"{command.tps} lacks {listed}."
        region = kelurahan_of(command.tps)
        records = findings.raised(states, "kit-incomplete", region, detail, tps=command.tps)
        raise KitIncomplete(detail, records=records, lacking=lacking)
    excess = {name: n - wanted.get(name, 0) for name, n in given.items() if n > wanted.get(name, 0)}
    if excess:
        raise KitExcess(f"{command.tps} would get more than it needs.", excess=excess)


def _check_boxes(boxes: Sequence[PackedBox], prefix: str, contents: Sequence[str]) -> None:
    """One box per content, each id `<prefix>-...` and each seal once."""
    if sorted(box.contents for box in boxes) != sorted(contents):
        raise WrongBoxes(f"One box each is needed for {', '.join(contents)}.")
    if len({box.unit for box in boxes}) != len(boxes):
        raise WrongBoxes("A box is named twice.")
    if len({box.seal for box in boxes}) != len(boxes):
        raise WrongBoxes("A seal is used twice.")
    strange = [box.unit for box in boxes if not box.unit.startswith(f"{prefix}-")]
    if strange:
        raise WrongBoxes(f"{strange[0]} is not the number of a box of {prefix}.")


def _refuse_twice(states: Mapping[str, Any], kit: str) -> None:
    if states[stream(kit)]:
        raise AlreadyPacked(f"Kit {kit} is packed already.")


def pack_recap(command: PackRecap, states: Mapping[str, Any], context: Any) -> Sequence[Event]:
    regions.require(states, command.region)
    site = sites.ready(states, command.site)
    _refuse_twice(states, command.kit)
    number = rules.require(states).recap_boxes
    _check_boxes(command.boxes, command.kit, ("REKAP",) * number)
    stock.available(states, command.site, RECAP_BOX, "", number)
    packed = KitPacked(
        region=command.region,
        kit=command.kit,
        site=command.site,
        boxes=command.boxes,
        ballots={},
        items={},
    )
    issued = StockIssued(
        region=site.region,
        site=command.site,
        item=RECAP_BOX,
        quantity=number,
        reason="packing",
        purpose=command.kit,
    )
    return (packed, issued)


def evolve(state: bool, event: KitPacked) -> bool:
    """Whether the kit is packed."""
    return True
