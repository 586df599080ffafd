"""Mishaps are injected as asked for, and detected as injected: kind, subject and leg."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from demo_stack import Stack

from services.simulator.mishaps import KINDS

KELURAHAN = "31.01.01.1001"
Entries = list[dict[str, Any]]


def write(path: Path, entries: object) -> str:
    path.write_text(json.dumps(entries))
    return f"MISHAPS={path}"


def figures_of(entries: Entries) -> dict[str, dict[str, int]]:
    """What `demo.json` says when all of them were detected."""
    counts = Counter(entry["kind"] for entry in entries)
    return {kind: {"injected": count, "detected": count} for kind, count in counts.items()}


def detected(stack: Stack) -> list[tuple[str, str, int]]:
    """(kind, subject, leg) of every incident and finding; leg 0 where there is none."""
    findings = stack.get("inventory", "/findings", limit=1000)["items"]
    incidents = stack.get("custody", "/incidents", limit=1000)["items"]
    return sorted((row["kind"], _subject(row), _leg(row)) for row in findings + incidents)


def _subject(row: dict[str, Any]) -> str:
    return row["tps"] if KINDS[row["kind"]].subject == "tps" else row["unit"]


def _leg(row: dict[str, Any]) -> int:
    """Incidents count the legs of a consignment; what happened before a leg has none yet."""
    if row.get("consignment") is None:
        return 0
    before = {"early-release": 1, "late": 3}.get(row["kind"], 0)
    back = 3 if row["consignment"].startswith("RET-") else 0
    return (before or row["leg"]) + back


def asked(entries: Entries) -> list[tuple[str, str, int]]:
    return sorted(
        (entry["kind"], entry.get("tps") or entry["unit"], entry.get("leg", 0)) for entry in entries
    )


def everything(stations: list[str]) -> Entries:
    """Every kind on every leg on which it can happen, each at a station of its own."""
    free = iter(stations)
    entries: Entries = []
    for kind in KINDS.values():
        for leg in kind.legs:
            tps = next(free)
            subject = {
                "tps": {"tps": tps},
                "box": {"unit": f"BOX-{tps}-DPD"},
                "koli": {"unit": f"KOLI-{tps[:13]}-DPR"},
            }[kind.subject]
            entries.append({"kind": kind.name, **subject} | ({"leg": leg} if leg else {}))
    return entries


def test_every_kind_on_every_leg_is_detected_as_it_was_injected(
    stack: Stack, tmp_path: Path, demo: Stack
) -> None:
    rows = demo.get("inventory", "/polling-stations", region="31.01", limit=200)["items"]
    entries = everything(sorted(row["tps"] for row in rows))
    with stack.playing("SCOPE=31.01", write(tmp_path / "all.json", entries)):
        assert detected(stack) == asked(entries)
    figures = stack.figures()
    assert figures["mishaps"] == figures_of(entries)
    breaking = [entry for entry in entries if KINDS[entry["kind"]].breaks_chain]
    assert figures["custody"]["broken"] == len(breaking) and figures["unexpected"] == []


def test_one_station_may_have_many_mishaps(stack: Stack, tmp_path: Path) -> None:
    """And a demo that is over, asked for again, answers what it found."""
    tps, other = f"{KELURAHAN}-003", f"{KELURAHAN}-004"
    box = f"BOX-{tps}-DPR"
    entries: Entries = [
        {"kind": "swapped-ballots", "tps": tps},
        {"kind": "kit-incomplete", "tps": tps},
        {"kind": "early-release", "tps": tps, "leg": 1},
        {"kind": "early-release", "tps": tps, "leg": 4},
        {"kind": "wrong-destination", "unit": box, "leg": 1},
        {"kind": "seal-missing", "unit": box, "leg": 2},
        {"kind": "damaged", "unit": box, "leg": 3},
        {"kind": "seal-different", "unit": box, "leg": 5},
        {"kind": "count-variance", "tps": tps, "leg": 3},
        {"kind": "count-variance", "tps": tps, "leg": 6},
        {"kind": "supervisor-absent", "tps": tps, "leg": 2},
        {"kind": "supervisor-absent", "tps": tps, "leg": 3},
        {"kind": "supervisor-absent", "tps": tps, "leg": 4},
        {"kind": "late", "tps": other, "leg": 3},
        {"kind": "outside-hours", "tps": other, "leg": 2},
        {"kind": "unregistered-place", "unit": f"BOX-{other}-PPWP", "leg": 3},
    ]
    plan = write(tmp_path / "plan.json", entries)
    figures = stack.demo(f"SCOPE={KELURAHAN}", "SEED=7", plan)
    assert (figures["scope"], figures["seed"]) == (KELURAHAN, 7)
    assert figures["mishaps"] == figures_of(entries)
    assert figures["custody"]["broken"] == 4
    again = stack.demo(f"SCOPE={KELURAHAN}", "SEED=7", plan)
    assert again | {"seconds": 0} == figures | {"seconds": 0}


def test_without_mishaps_nothing_is_detected_in_any_mix_of_regions(stack: Stack) -> None:
    """A kecamatan, a kelurahan that lies in it, and one of another city."""
    with stack.playing("SCOPE=31.01.02,31.01.02.1001,31.71.01.1001", "MISHAPS=none"):
        assert detected(stack) == []
        regions = {row["tps"][:13] for row in _stations(stack)}
    figures = stack.figures()
    assert {code[:8] for code in regions} == {"31.01.02", "31.71.01"}
    assert figures["kelurahan"] == len(regions) == 4
    assert figures["boxes"] == figures["tps"] * 4 + 2 * 2
    assert figures["mishaps"] == {} and figures["unexpected"] == []
    assert figures["custody"]["broken"] == 0
    assert figures["custody"]["units"] == figures["custody"]["unbroken"]
    assert all(" stopped " in line for line in stack.kawal("status").stdout.splitlines())


def _stations(stack: Stack) -> list[dict[str, Any]]:
    return stack.get("inventory", "/polling-stations", region="31", limit=1000)["items"]


REFUSED = {
    "an unknown region": (["--scope", "31.01,31.99"], "31.99"),
    "another province": (["--scope", "32.73"], "32.73"),
    "no code": (["--scope", "Menteng"], "Menteng"),
    "broken JSON": (["--mishaps", "{broken}"], "line 1"),
    "an unknown kind": (["--mishaps", "{unknown}"], "earthquake"),
    "no such file": (["--tps-file", "nowhere.csv"], "nowhere.csv"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_played_is_one_line_and_the_last_demo_stays(
    case: str, stack: Stack, tmp_path: Path
) -> None:
    (tmp_path / "broken.json").write_text('[{"kind": ')
    write(tmp_path / "unknown.json", [{"kind": "earthquake", "tps": "31"}])
    stack.state.write("demo-run.json", {"run": "an earlier one"})
    options, named = REFUSED[case]
    files = {name: str(tmp_path / f"{name}.json") for name in ("broken", "unknown")}
    done = stack.kawal("demo", "--once", *(option.format(**files) for option in options))
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("kawal: ") and named in done.stderr
    assert done.stderr.count("\n") == 1
    assert stack.state.read("demo-run.json") == {"run": "an earlier one"}


def test_a_mishap_of_nothing_in_the_scope_ends_the_demo_with_a_line(
    stack: Stack, tmp_path: Path
) -> None:
    entries = [{"kind": "hazard", "tps": "31.01.01.1002-001"}]
    path = tmp_path / "plan.json"
    write(path, entries)
    done = stack.kawal("demo", "--once", "--scope", KELURAHAN, "--mishaps", str(path))
    assert done.returncode == 2
    assert done.stderr.startswith("kawal: mishap 0: hazard needs a tps of the scope")
    assert done.stderr.count("\n") == 1
