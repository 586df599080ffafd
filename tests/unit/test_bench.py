"""The bench's arithmetic: medians and ratios, what is met, who was not run, the README's table."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shared.cli.app import Failure
from tests.bench import report, rows
from tests.bench.load import percentiles
from tests.bench.room import Room
from tests.bench.rounds import measure
from tests.bench.row import Contender, Figures, NotRun, Row, Sample, Sampler, Target, figure, times
from tests.bench.run import run, write_readme
from tests.bench.stores import together

ORDER = ("first", "second", "third")


def figures(absent: dict[str, str] | None = None, **rates: list[float]) -> Figures:
    return Figures(
        {name: [{"rate": rate} for rate in each] for name, each in rates.items()}, absent or {}
    )


def contender(name: str, once: Callable[[], Sample], opens: Exception | None = None) -> Contender:
    @asynccontextmanager
    async def open(room: Room) -> AsyncIterator[Sampler]:
        if opens:
            raise opens

        async def sample() -> Sample:
            return once()

        yield sample

    return Contender(name, open)


def row(*contenders: Contender, targets: tuple[Target, ...] = (), name: str = "first") -> Row:
    return Row(name, "a title", "events/s", contenders, targets)


def entry(found: Figures, *targets: Target, name: str = "first") -> dict[str, Any]:
    named = [contender(one, dict) for one in (*found.samples, *found.absent)]
    return report.entry(row(*named, targets=targets, name=name), found, "a machine")


def test_a_ratio_is_of_medians_and_against_the_best():
    found = figures(kawal=[10, 90, 30], slow=[1, 1, 1], fast=[3, 2, 100])
    assert found.median("kawal") == 30
    assert (found.low("kawal"), found.high("kawal")) == (10, 90)
    assert times("kawal", "slow", "fast")(found) == 10


def test_nobody_is_held_against_one_who_was_not_run():
    found = figures({"other": "no compiler"}, kawal=[10], slow=[1])
    with pytest.raises(NotRun, match="other was not run: no compiler"):
        times("kawal", "slow", "other")(found)
    with pytest.raises(NotRun, match="slow gave no p99_ms"):
        figure("slow", "p99_ms")(found)


def test_a_target_is_met_at_its_bound_and_missed_beside_it():
    held = [
        report.entry(row(targets=(target,)), figures(kawal=[15]), "")["met"]
        for target in (
            Target("at least", 15, figure("kawal")),
            Target("at least", 15.1, figure("kawal")),
            Target("at most", 15, figure("kawal"), most=True),
            Target("at most", 14.9, figure("kawal"), most=True),
        )
    ]
    assert held == [True, False, True, False]


def test_a_row_with_one_target_has_plain_numbers():
    found = figures(kawal=[10, 30, 20], peer=[5, 4, 6])
    one = entry(found, Target("x peer", 3, times("kawal", "peer")))
    assert one["name"] == "first"
    assert one["unit"] == "events/s"
    assert one["kawal"] == {"median": 20, "min": 10, "max": 30}
    assert one["peers"] == {"peer": {"median": 5, "min": 4, "max": 6}}
    assert (one["target"], one["measured"], one["met"]) == (3, 4, True)


def test_a_row_with_several_targets_names_them_and_is_met_by_all():
    found = figures(kawal=[20], peer=[5])
    targets = (Target("x peer", 3, times("kawal", "peer")), Target("a second", 21, figure("kawal")))
    one = entry(found, *targets)
    assert one["target"] == {"x peer": 3, "a second": 21}
    assert one["measured"] == {"x peer": 4, "a second": 20}
    assert one["met"] is False


def test_a_target_without_its_peer_is_not_met_and_says_why():
    found = figures({"peer": "it cannot be installed"}, kawal=[1_000_000])
    one = entry(found, Target("x peer", 3, times("kawal", "peer")))
    assert one["met"] is False
    assert one["measured"] is None
    assert one["targets"][0]["reason"] == "peer was not run: it cannot be installed"
    assert one["peers"] == {"peer": {"not_run": "it cannot be installed"}}


def test_our_other_set_ups_are_no_peers():
    one = entry(figures(**{"kawal": [10], "kawal, two processes": [14], "peer": [1]}))
    assert list(one["peers"]) == ["peer"]
    assert list(one["others"]) == ["kawal, two processes"]


async def test_rounds_are_interleaved(tmp_path: Path):
    order: list[str] = []

    def noting(name: str) -> Contender:
        return contender(name, lambda: order.append(name) or {"rate": 1.0})

    await measure(row(noting("a"), noting("b")), Room(tmp_path), 3, order.append)
    assert [each for each in order if each in "ab"] == ["a", "b"] * 3


async def test_one_who_fails_stops_nobody_else(tmp_path: Path):
    left = [2.0, 1.0]
    found = await measure(
        row(
            contender("closed", dict, opens=RuntimeError("no door\nand more")),
            contender("tired", lambda: {"rate": left.pop()}),
            contender("kawal", lambda: {"rate": 7.0}),
        ),
        Room(tmp_path),
        3,
        lambda _: None,
    )
    assert found.absent == {"closed": "no door", "tired": "pop from empty list"}
    assert found.values("kawal") == [7, 7, 7]
    with pytest.raises(NotRun):
        found.median("tired")


@pytest.mark.parametrize(
    "sample", [{"rate": 0.0}, {"rate": float("nan")}, {"rate": None}, {"p99_ms": float("inf")}]
)
async def test_who_gives_no_figure_was_not_run(tmp_path: Path, sample: Sample):
    one = row(contender("idle", lambda: sample), contender("kawal", lambda: {"rate": 7.0}))
    found = await measure(one, Room(tmp_path), 2, lambda _: None)
    assert list(found.absent) == ["idle"]
    held = report.entry(
        row(targets=(Target("x idle", 1, times("kawal", "idle")),)), found, "a machine"
    )
    assert held["met"] is False


async def test_the_figures_outlive_who_cannot_be_closed(tmp_path: Path):
    @asynccontextmanager
    async def stuck(room: Room) -> AsyncIterator[Sampler]:
        async with contender("stuck", lambda: {"rate": 7.0}).open(room) as sampler:
            yield sampler
        raise TimeoutError

    found = await measure(row(Contender("stuck", stuck)), Room(tmp_path), 2, lambda _: None)
    assert found.values("stuck") == [7, 7]


@pytest.mark.parametrize("as_json", [True, False])
def test_what_failed_is_shown_as_it_was_said(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    as_json: bool,
):
    monkeypatch.setenv("COLUMNS", "200")
    gone = contender("gone", dict, opens=OSError("[/some/where] is no door"))
    some = row(gone, contender("kawal", lambda: {"rate": 7.0}))
    some = replace(some, targets=(Target("x", 1, times("kawal", "gone")),), name="relay")
    run([some], tmp_path / "bench", 1, 0.1, as_json)
    said, noted = capsys.readouterr()
    assert "[/some/where]" in said and "[/some/where]" in noted
    [kept] = report.read(tmp_path / "bench" / "summary.json")
    assert kept["peers"]["gone"] == {"not_run": "[/some/where] is no door"}


def test_a_part_of_the_rows_replaces_only_its_own_entries(tmp_path: Path):
    file = tmp_path / "bench" / "summary.json"
    first, second = (entry(figures(kawal=[1]), name=name) for name in ("second", "first"))
    report.write(file, [first], ORDER)
    report.write(file, [second], ORDER)
    report.write(file, [entry(figures(kawal=[5]), name="second")], ORDER)
    written = json.loads(file.read_text())
    assert [(one["name"], one["kawal"]["median"]) for one in written] == [
        ("first", 1),
        ("second", 5),
    ]
    assert [path.name for path in file.parent.iterdir()] == ["summary.json"]


def test_the_table_is_put_between_its_markers_and_stays_the_same(tmp_path: Path):
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
    found = figures({"peer": "it | failed"}, kawal=[1234, 1234, 1234])
    targets = (Target("a second", 2000, figure("kawal")), Target("x", 1, times("kawal", "peer")))
    report.write(tmp_path / "summary.json", [entry(found, *targets)], ORDER)
    write_readme(readme, tmp_path)
    once = readme.read_text()
    write_readme(readme, tmp_path)
    assert readme.read_text() == once
    assert once.startswith("before\n") and once.endswith("\nafter\n") and "old" not in once
    [line] = [line for line in once.splitlines() if "a title" in line]
    assert line.count("|") == 6
    assert "1,234 (1,234-1,234) events/s" in line
    assert "**1,234: missed**" in line and "**not measured**" in line
    assert "not run (it / failed)" in line
    assert "Measured on a machine." in once


def test_a_readme_without_markers_and_a_bench_without_figures_are_refused(tmp_path: Path):
    with pytest.raises(ValueError, match="not both there"):
        report.between(f"{report.BEGIN} only", "a table")
    with pytest.raises(Failure, match="nothing was measured yet"):
        write_readme(tmp_path / "README.md", tmp_path)


def test_every_row_is_there_by_its_name_with_kawal_in_it():
    loaded = [rows.load(name) for name in rows.NAMES]
    assert [each.name for each in loaded] == list(rows.NAMES)
    assert all("kawal" in [one.name for one in each.contenders] for each in loaded)
    assert all(each.targets for each in loaded)
    assert sum(each.seconds for each in loaded) < 45 * 60


def test_percentiles_are_of_what_was_waited_for():
    took = [n / 1000 for n in range(1, 101)]
    assert percentiles(took) == {"p50_ms": pytest.approx(51), "p99_ms": pytest.approx(100)}
    assert percentiles([]) == {}


def test_processes_side_by_side_add_up_and_the_slower_one_counts():
    samples = [{"rate": 10.0, "p99_ms": 3.0}, {"rate": 12.0, "p99_ms": 8.0}]
    assert together(samples) == {"rate": 22.0, "p99_ms": 8.0}
