"""Picking and packing: the kit against its needs, the ballots against the station's dapil."""

import pytest
from inventory_facts import (
    BASICS,
    DAPIL,
    KELURAHAN,
    OTHER,
    TPS,
    WAREHOUSE,
    boxes,
    drawn,
    proposed,
    ready_site,
    received,
    station,
)
from pydantic import ValidationError

from services.inventory.domain.decider import InventoryDecider
from services.inventory.domain.errors import (
    AlreadyDrawn,
    AlreadyPacked,
    InsufficientStock,
    KitExcess,
    KitIncomplete,
    LinesMismatch,
    NotDrawn,
    SiteNotReady,
    WrongBallots,
    WrongBoxes,
)
from services.inventory.domain.packing import PackKit, PackRecap
from services.inventory.domain.picking import DrawPicking, PickingLine
from shared.contracts.inventory import (
    FindingClosed,
    KitPacked,
    PackedBox,
    PickingDrawn,
    StockIssued,
)
from shared.errors import NotFound
from shared.testing.scenario import given

INVENTORY = InventoryDecider()
STOCK = (
    received(1000),
    *(received(1000, "surat-suara", f"{kind}.{dapil}") for kind, dapil in DAPIL.items()),
    received(5, "kotak-rekapitulasi"),
)
PREPARED = (*BASICS, *ready_site(), *STOCK, *station(TPS), *station(OTHER))
READY_TO_PACK = (*PREPARED, drawn(TPS, OTHER))
BALLOTS = [{"kind": kind, "dapil": dapil, "count": 276} for kind, dapil in DAPIL.items()]


def draw(*stations: str, **changed: int) -> DrawPicking:
    number = len(stations)
    quantities = {("tinta", ""): 2 * number} | {
        ("surat-suara", f"{kind}.{dapil}"): 276 * number for kind, dapil in DAPIL.items()
    }
    quantities |= {(item, ""): quantity for item, quantity in changed.items()}
    lines = tuple(
        PickingLine(item=item, variant=variant, quantity=quantity)
        for (item, variant), quantity in quantities.items()
    )
    return DrawPicking(region=KELURAHAN, site=WAREHOUSE, stations=stations, lines=lines)


def pack(**changes) -> PackKit:
    fields = {"boxes": boxes(), "ballots": BALLOTS, "items": {"tinta": 2}}
    return PackKit(tps=TPS, site=WAREHOUSE, **(fields | changes))


def packed(tps: str = TPS) -> KitPacked:
    return KitPacked(
        region=KELURAHAN,
        kit=tps,
        site=WAREHOUSE,
        tps=tps,
        boxes=boxes(tps),
        ballots=dict.fromkeys(DAPIL, 276),
        items={"tinta": 2},
    )


def swapped() -> list[dict]:
    return [b | {"dapil": "DKI-7"} if b["kind"] == "DPRD_PROV" else b for b in BALLOTS]


def test_drawing_takes_the_needs_of_the_stations_out_of_the_ledgers():
    events = given(*PREPARED, by=INVENTORY).when(draw(TPS, OTHER)).events
    assert events[0] == drawn(TPS, OTHER)
    issued = {(e.item, e.variant): e.quantity for e in events[1:] if isinstance(e, StockIssued)}
    assert issued[("tinta", "")] == 4
    assert issued[("surat-suara", "DPR.DKI-2")] == 552
    assert len(issued) == 5


@pytest.mark.parametrize("changed", [{"tinta": 3}, {"bilik": 4}])
def test_lines_that_differ_from_the_needs_are_refused(changed):
    outcome = given(*PREPARED, by=INVENTORY).when(draw(TPS, **changed))
    outcome.then(LinesMismatch)
    assert len(outcome.refusal.extra["differences"]) == 1


def test_the_ledger_never_becomes_negative():
    poor = tuple(event for event in PREPARED if event not in STOCK)
    given(*poor, received(1), by=INVENTORY).when(draw(TPS)).then(InsufficientStock)


def test_a_station_is_drawn_once():
    outcome = given(*READY_TO_PACK, by=INVENTORY).when(draw(TPS)).then(AlreadyDrawn)
    assert outcome.refusal.extra["stations"] == [TPS]


def test_only_registered_stations_and_ready_sites_are_drawn():
    given(*BASICS, *ready_site(), *STOCK, by=INVENTORY).when(draw(TPS)).then(NotFound)
    given(*BASICS, proposed(), *station(), by=INVENTORY).when(draw(TPS)).then(SiteNotReady)


def test_a_picking_names_each_station_of_its_kelurahan_once():
    for stations in ((TPS, TPS), ("31.71.01.1002-001",)):
        with pytest.raises(ValidationError):
            draw(*stations)


def test_a_complete_kit_with_the_right_ballots_is_packed():
    given(*READY_TO_PACK, by=INVENTORY).when(pack()).then(packed())


def test_ballots_of_another_dapil_are_refused_and_recorded_as_swapped():
    outcome = given(*READY_TO_PACK, by=INVENTORY).when(pack(ballots=swapped()))
    outcome.then(WrongBallots)
    [finding] = outcome.refusal.records
    assert (finding.finding_kind, finding.tps) == ("swapped-ballots", TPS)


def test_ballots_of_a_kind_that_the_station_does_not_elect_are_wrong_too():
    strange = [*BALLOTS, {"kind": "DPRD_KAB", "dapil": "X", "count": 1}]
    given(*READY_TO_PACK, by=INVENTORY).when(pack(ballots=strange)).then(WrongBallots)


@pytest.mark.parametrize(
    ("changes", "lacking"),
    [
        ({"items": {}}, {"tinta": 2}),
        ({"items": {"tinta": 1}}, {"tinta": 1}),
        ({"ballots": BALLOTS[1:]}, {"PPWP": 276}),
        ({"ballots": [BALLOTS[0] | {"count": 270}, *BALLOTS[1:]]}, {"PPWP": 6}),
    ],
)
def test_too_few_of_anything_is_refused_and_recorded(changes, lacking):
    outcome = given(*READY_TO_PACK, by=INVENTORY).when(pack(**changes)).then(KitIncomplete)
    assert outcome.refusal.extra["lacking"] == lacking
    [finding] = outcome.refusal.records
    assert finding.finding == f"kit-incomplete.{TPS}"


def test_a_second_wrong_attempt_is_refused_without_a_second_finding():
    wrong = pack(ballots=swapped())
    [finding] = given(*READY_TO_PACK, by=INVENTORY).when(wrong).refusal.records
    again = given(*READY_TO_PACK, finding, by=INVENTORY).when(wrong).then(WrongBallots)
    assert again.refusal.records == ()


def test_a_later_correct_attempt_succeeds_and_closes_the_finding():
    [finding] = given(*READY_TO_PACK, by=INVENTORY).when(pack(items={})).refusal.records
    events = given(*READY_TO_PACK, finding, by=INVENTORY).when(pack()).events
    assert events[0] == packed()
    assert isinstance(events[1], FindingClosed)
    assert events[1].finding == finding.finding


@pytest.mark.parametrize("items", [{"tinta": 3}, {"tinta": 2, "bilik": 1}])
def test_more_than_the_needs_was_not_drawn_for_this_kit(items):
    given(*READY_TO_PACK, by=INVENTORY).when(pack(items=items)).then(KitExcess)


def test_a_kit_is_packed_once_from_materials_drawn_at_its_site():
    given(*PREPARED, by=INVENTORY).when(pack()).then(NotDrawn)
    given(*READY_TO_PACK, packed(), by=INVENTORY).when(pack()).then(AlreadyPacked)
    elsewhere = PickingDrawn(region=KELURAHAN, site="GUDANG-2", stations=(TPS,))
    given(*PREPARED, elsewhere, by=INVENTORY).when(pack()).then(NotDrawn)
    given(*BASICS, by=INVENTORY).when(pack()).then(NotFound)


@pytest.mark.parametrize(
    "wrong",
    [
        boxes()[1:],
        (*boxes()[1:], boxes()[1]),
        (boxes()[0].model_copy(update={"unit": boxes()[1].unit}), *boxes()[1:]),
        (boxes()[0].model_copy(update={"seal": boxes()[1].seal}), *boxes()[1:]),
        (boxes()[0].model_copy(update={"unit": "BOX-31.71.01.1001-099-PPWP"}), *boxes()[1:]),
    ],
)
def test_each_ballot_kind_has_one_box_of_this_station_with_its_own_seal(wrong):
    given(*READY_TO_PACK, by=INVENTORY).when(pack(boxes=wrong)).then(WrongBoxes)


def recap(*numbers: int) -> PackRecap:
    sealed = tuple(
        PackedBox(unit=f"REKAP-31.71.01-{n}", contents="REKAP", seal=f"317101R00{n}")
        for n in numbers
    )
    return PackRecap(region="31.71.01", site=WAREHOUSE, boxes=sealed)


def test_recapitulation_boxes_of_a_kecamatan_are_taken_from_the_stock():
    [kit, issued] = given(*PREPARED, by=INVENTORY).when(recap(1, 2)).events
    assert (kit.kit, kit.region, kit.tps) == ("REKAP-31.71.01", "31.71.01", None)
    assert (issued.item, issued.quantity) == ("kotak-rekapitulasi", 2)
    given(*PREPARED, kit, by=INVENTORY).when(recap(1, 2)).then(AlreadyPacked)


def test_a_kecamatan_has_as_many_recapitulation_boxes_as_the_rules_say():
    given(*PREPARED, by=INVENTORY).when(recap(1)).then(WrongBoxes)
    poor = tuple(event for event in PREPARED if event not in STOCK)
    given(*poor, by=INVENTORY).when(recap(1, 2)).then(InsufficientStock)
