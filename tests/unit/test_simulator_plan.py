"""The plan of mishaps: seeded, complete, playable, and clear about a list that is not."""

import json
from collections import Counter

import pytest

from services.simulator import mishaps, world
from services.simulator.calendar import BACK_TO_PPS, TO_KPPS, TO_PPK
from services.simulator.field import Field
from services.simulator.mishaps import KINDS, BadPlan, Mishap, Plan
from services.simulator.stages import handing
from services.simulator.stages.handing import Boxes, Leg

FIRST = "31.71.01.1001-001"
BOX = "BOX-31.71.01.1001-001-DPR"


def make_world(stations: int = 60) -> world.World:
    rows = [
        {
            "tps": f"31.71.01.{1001 + i % 3}-{i // 3 + 1:03d}",
            "region": f"31.71.01.{1001 + i % 3}",
            "voters": 260,
            "ballots": dict.fromkeys(world.BALLOT_KINDS, 266),
            "dapil": dict.fromkeys(world.BALLOT_KINDS, "DKI"),
            "items": {"tinta": 2},
        }
        for i in range(stations)
    ]
    return world.build(("31.71",), 7, rows, {})


def make_field(*planned: Mishap) -> Field:
    return Field(None, make_world(), Plan(planned), None)  # type: ignore[arg-type]


def test_a_seed_gives_the_same_mishaps_of_every_kind_again():
    field = make_world()
    plan = mishaps.choose(field, 7)
    assert plan.mishaps == mishaps.choose(field, 7).mishaps
    assert {mishap.kind for mishap in plan.mishaps} == set(KINDS)
    assert mishaps.choose(field, 8).mishaps != plan.mishaps


def test_no_station_has_two_seeded_mishaps():
    plan = mishaps.choose(make_world(), 7)
    stations = Counter(
        m.subject if KINDS[m.kind].subject == "tps" else world.tps_of_box(m.subject)
        for m in plan.mishaps
        if KINDS[m.kind].subject != "koli"
    )
    assert set(stations.values()) == {1}


def test_a_list_is_played_as_it_is(tmp_path):
    path = tmp_path / "plan.json"
    entries = [
        {"kind": "seal-missing", "unit": BOX, "leg": 5},
        {"kind": "late", "tps": FIRST, "leg": 3},
        {"kind": "delivery-variance", "unit": "KOLI-31.71.01.1001-DPR", "leg": 0},
    ]
    path.write_text(json.dumps(entries))
    assert mishaps.load(path, make_world()).mishaps == (
        Mishap("seal-missing", BOX, 5),
        Mishap("late", FIRST, 3),
        Mishap("delivery-variance", "KOLI-31.71.01.1001-DPR", 0),
    )


@pytest.mark.parametrize(
    ("entries", "says"),
    [
        ({}, "a list is expected"),
        ([{"kind": "earthquake", "tps": FIRST}], "unknown kind 'earthquake'"),
        ([{"kind": "late", "tps": "31.71.01.1001-999", "leg": 3}], "needs a tps of the scope"),
        ([{"kind": "late", "unit": BOX, "leg": 3}], "needs a tps of the scope"),
        ([{"kind": "late", "tps": FIRST, "leg": 5}], "happens on legs (3,), not 5"),
        ([{"kind": "damaged", "unit": BOX, "leg": 1, "who": "me"}], "an object with kind"),
        (
            [
                {"kind": "seal-missing", "unit": BOX, "leg": 1},
                {"kind": "seal-different", "unit": BOX, "leg": 2},
            ],
            "twice for the same way",
        ),
    ],
)
def test_a_list_that_cannot_be_played_is_refused_with_the_entry(tmp_path, entries, says):
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(entries))
    with pytest.raises(BadPlan) as refused:
        mishaps.load(path, make_world())
    assert says in str(refused.value)


def test_a_missing_box_is_given_but_not_received_and_does_not_come_back():
    field = make_field(Mishap("count-variance", FIRST, 2))
    boxes = Boxes(field, field.world.stations[FIRST])
    assert len(boxes.present(1)) == 4
    assert boxes.lost(2) == ["BOX-31.71.01.1001-001-PPWP"]
    assert len(boxes.present(2)) == len(boxes.present(6)) == 3


def test_a_missing_box_is_never_one_with_a_mishap_of_its_own():
    field = make_field(
        Mishap("count-variance", FIRST, 2),
        Mishap("damaged", "BOX-31.71.01.1001-001-PPWP", 1),
    )
    assert Boxes(field, field.world.stations[FIRST]).lost(2) == [BOX]


def test_each_count_variance_takes_another_box_and_one_is_left():
    field = make_field(*(Mishap("count-variance", FIRST, leg) for leg in (1, 2, 4, 6)))
    boxes = Boxes(field, field.world.stations[FIRST])
    assert [len(boxes.present(leg)) for leg in range(1, 7)] == [3, 2, 2, 1, 1, 1]
    assert field.plan.missing_box(FIRST, field.world.stations[FIRST].boxes, 6) is None


def test_a_lost_seal_stays_lost_until_the_box_is_sealed_again():
    field = make_field(Mishap("seal-missing", BOX, 2))
    boxes = Boxes(field, field.world.stations[FIRST])
    outbound, returning = Leg(3, TO_KPPS), Leg(4, BACK_TO_PPS)
    assert boxes.state(BOX, Leg(1, TO_PPK), 1)["seal"] == "3171011001A001"
    assert boxes.state(BOX, outbound, 2)["seal"] is None
    assert boxes.state(BOX, outbound, 3)["seal"] is None
    assert boxes.state(BOX, returning, 3)["seal"] == "3171011001N001"


def test_the_way_back_is_the_way_out_reversed():
    field = make_field()
    station = field.world.stations[FIRST]
    back = handing.plan_command(field, station, Leg(4, BACK_TO_PPS), list(station.boxes))
    out = handing.plan_command(field, station, Leg(1, TO_PPK), list(station.boxes))
    assert back["route"] == out["route"][::-1]
    assert [node["office"].split("-")[0] for node in out["route"]] == ["KPU", "PPK", "PPS", "KPPS"]


def test_no_two_stations_of_a_kelurahan_share_a_seal():
    stations = make_world(2400).kelurahan["31.71.01.1001"]
    for rolls in (world.OUTBOUND_ROLLS, world.RETURN_ROLLS):
        seals = [seal for station in stations for seal in station.seals(rolls)]
        assert len(set(seals)) == len(seals) == 3200
