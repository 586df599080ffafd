"""`make demo` on Kepulauan Seribu (31.01): what it leaves behind, in figures and unit by unit."""

from collections import Counter, defaultdict
from typing import Any

import pytest
from demo_stack import OWNERS, Stack

from services.simulator.mishaps import KINDS
from shared.contracts.custody import BREAKS_CHAIN

STATIONS = 88
KINDS_OF_BOXES = 4
KECAMATAN = 2
KELURAHAN = 6
VOTERS = 22_036
READERS = {
    "inventory": {
        "inventory/inventory",
        "custody/places",
        "custody/register-packed-units",
        "exchange/sites",
        "exchange/notify",
        "exchange/supplement",
        "exchange/close-withdrawn",
        "console/overview",
    },
    "custody": {"custody/custody", "exchange/notify", "inventory/replace-damaged"},
    "exchange": {"exchange/exchange", "console/overview"},
}

Logs = dict[str, list[dict[str, Any]]]
Figures = dict[str, Any]


def data_of(logs: Logs, type: str) -> list[dict[str, Any]]:
    service = type.partition(".")[0]
    return [event["data"] for event in logs[service] if event["type"] == type]


@pytest.fixture(scope="module")
def lives(logs: Logs) -> dict[str, list[dict[str, Any]]]:
    """Unit -> its events."""
    found = defaultdict(list)
    for event in logs["custody"]:
        if event["stream"].startswith("unit-"):
            found[event["stream"].removeprefix("unit-")].append(event)
    return found


def test_the_figures_are_those_of_the_official_totals(figures: Figures) -> None:
    assert (figures["scope"], figures["seed"]) == ("31.01", 1)
    assert (figures["tps"], figures["kelurahan"]) == (STATIONS, KELURAHAN)
    assert figures["boxes"] == STATIONS * KINDS_OF_BOXES + 2 * KECAMATAN
    assert figures["seconds"] > 0


def test_ballots_are_voters_and_reserve_of_each_station_and_the_re_vote_stock(
    figures: Figures, demo: Stack
) -> None:
    stations, cursor = [], {}
    while cursor is not None:
        page = demo.get("inventory", "/polling-stations", region="31.01", limit=50, **cursor)
        stations += page["items"]
        cursor = {"cursor": page["next"]} if page["next"] else None
    assert len(stations) == STATIONS
    assert sum(station["voters"] for station in stations) == VOTERS
    needed = sum(-(-station["voters"] * 102 // 100) for station in stations)
    revote = 1000 * KINDS_OF_BOXES
    assert figures["ballots"] == needed * KINDS_OF_BOXES + revote


def test_every_stream_and_projection_is_where_its_store_is(figures: Figures, logs: Logs) -> None:
    assert set(figures["positions"]) == set(figures["events"]) == set(OWNERS)
    for owner, row in figures["positions"].items():
        assert READERS[owner] <= set(row["projections"]), owner
        reached = {row["store"], row["stream"], *row["projections"].values()}
        assert reached == {figures["events"][owner]}, (owner, row)
        assert [event["position"] for event in logs[owner][: row["store"]]] == list(
            range(1, row["store"] + 1)
        )


def test_every_kind_of_mishap_is_injected_and_detected(figures: Figures) -> None:
    assert set(figures["mishaps"]) == set(KINDS)
    for kind, count in figures["mishaps"].items():
        assert count["injected"] == count["detected"] >= 1, kind
    assert figures["unexpected"] == []


def test_what_the_services_recorded_is_what_was_counted(figures: Figures, demo: Stack) -> None:
    found = Counter(row["kind"] for row in demo.get("custody", "/incidents", limit=1000)["items"])
    found.update(row["kind"] for row in demo.get("inventory", "/findings", limit=1000)["items"])
    assert found == {kind: count["injected"] for kind, count in figures["mishaps"].items()}


def test_broken_are_exactly_the_units_whose_mishap_breaks_a_chain(
    figures: Figures, demo: Stack, logs: Logs
) -> None:
    broken = {row["unit"] for row in demo.get("custody", "/units", broken="true")["items"]}
    incidents = data_of(logs, "custody.incident-raised.v1")
    assert {kind for kind, known in KINDS.items() if known.breaks_chain} <= BREAKS_CHAIN
    expected = {
        unit
        for incident in incidents
        if incident["incident_kind"] in BREAKS_CHAIN
        for unit in incident.get("units") or [incident["unit"]]
    }
    custody = figures["custody"]
    assert broken == expected and len(broken) == custody["broken"] > 0
    assert custody["units"] == custody["unbroken"] + custody["broken"]
    assert custody["units"] == figures["boxes"] + KELURAHAN * KINDS_OF_BOXES


def test_every_box_is_registered_sealed_and_handed_over_six_times(
    demo: Stack, lives: dict[str, list[dict[str, Any]]], logs: Logs
) -> None:
    missing = {data["unit"] for data in data_of(logs, "custody.unit-missing.v1")}
    boxes = {unit: events for unit, events in lives.items() if unit.startswith("BOX-")}
    assert len(boxes) == STATIONS * KINDS_OF_BOXES and len(missing) == 1
    offices = ["KPU", "PPK", "PPS", "KPPS", "PPS", "PPK", "KPU"]
    for unit, events in boxes.items():
        types = Counter(event["type"] for event in events)
        assert types["custody.unit-registered.v1"] == 1, unit
        if unit in missing:
            continue
        assert types["custody.unit-sealed.v1"] == 2, unit
        assert types["custody.unit-loaded.v1"] == 2, unit
        handed = [event["data"] for event in events if _is_hand_over(event)]
        way = [each["giver"].split("-")[0] for each in handed]
        way.append(handed[-1]["receiver"].split("-")[0])
        if any(event["type"] == "custody.unit-recovered.v1" for event in events):
            assert len(handed) == 6 and way[-1] == "KPU", unit
        else:
            assert way == offices, unit


def _is_hand_over(event: dict[str, Any]) -> bool:
    return event["type"] in ("custody.unit-handed-over.v1", "custody.unit-recovered.v1")


def test_recapitulation_boxes_go_to_their_district_and_back(
    lives: dict[str, list[dict[str, Any]]],
) -> None:
    boxes = {unit: events for unit, events in lives.items() if unit.startswith("REKAP-")}
    assert len(boxes) == 2 * KECAMATAN
    for unit, events in boxes.items():
        handed = [event["data"] for event in events if _is_hand_over(event)]
        assert [each["receiver"].split("-")[0] for each in handed] == ["PPK", "KPU"], unit


def test_every_station_has_its_own_packing_and_two_consignments(demo: Stack, logs: Logs) -> None:
    packed = [data.get("tps") for data in data_of(logs, "inventory.kit-packed.v1")]
    stations = {tps for tps in packed if tps}
    assert len(stations) == STATIONS and len(packed) == STATIONS + KECAMATAN
    planned = Counter(
        (data.get("tps"), data["direction"])
        for data in data_of(logs, "custody.consignment-planned.v1")
        if data.get("tps")
    )
    assert planned == {(tps, way): 1 for tps in stations for way in ("outbound", "return")}
    tps = min(stations)
    ways = demo.get("custody", "/consignments", tps=tps)["items"]
    assert [row["state"] for row in ways] == ["delivered", "delivered"]


def test_a_timeline_tells_a_boxs_whole_life(demo: Stack, logs: Logs) -> None:
    [gone] = data_of(logs, "custody.unit-missing.v1")
    tps = min(data["tps"] for data in data_of(logs, "inventory.kit-packed.v1") if data.get("tps"))
    quiet = demo.get("custody", f"/units/BOX-{tps}-DPR/timeline")
    assert [event["version"] for event in quiet["events"]] == list(range(1, 12))
    assert quiet["incidents"] == quiet["gaps"] == []
    lost = demo.get("custody", f"/units/{gone['unit']}/timeline")
    assert [incident["kind"] for incident in lost["incidents"]] == ["count-variance"]
    assert lost["unit"]["state"] == "missing" and lost["gaps"]


def test_letters_and_sites_are_settled(figures: Figures) -> None:
    letters, sites = figures["letters"], figures["sites"]
    assert letters["total"] == letters["followed_up"] == 2 and letters["supplementary"] == 1
    assert letters["overdue"] == 0
    assert sites["ready"] == sites["total"] >= KELURAHAN + KECAMATAN + 2
    assert sites["pending"] == 0 and 0 < sites["unchanged_pct"] <= 100


def test_without_a_terminal_every_stage_is_a_line_and_the_figures_a_table(demo: Stack) -> None:
    said = demo.output.read_text()
    assert "\x1b" not in said
    for line in ("kits packed and sealed: 88", "PPK -> KPU: received: 88", demo.url("console")):
        assert line in said
    assert "The reconciliation is clean." in said and "polling stations" in said
