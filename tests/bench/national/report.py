"""What came of the run: `national.json`, written at each million, and a table at the end."""

import json
import os
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.bench.national.plan import Plan
from tests.bench.national.stack import ROLES

GIGABYTE = 1000**3
FIRST = LAST = 3
"""Millions whose medians are held against each other."""

Row = Mapping[str, Any]
Measure = Callable[[Mapping[str, Any]], float | None]


@dataclass
class Report:
    """The file's content; a run that goes on keeps the millions of the one before it."""

    file: Path
    plan: Plan
    millions: list[Row] = field(default_factory=list)
    queries: dict[str, Any] = field(default_factory=dict)
    complete: bool = False

    def resume(self) -> None:
        """Takes over what an interrupted run of this plan has written."""
        try:
            kept = json.loads(self.file.read_text())
        except (OSError, ValueError):
            return
        if kept.get("plan", {}).get("identity") == self.plan.identity:
            self.millions = kept["millions"]
            self.queries = kept["queries"]

    def note(self, row: Row) -> None:
        self.millions.append(row)
        self.write()

    def content(self) -> dict[str, Any]:
        plan = self.plan
        return {
            "name": "national",
            "complete": self.complete,
            "machine": {
                "cpus": os.cpu_count(),
                "processor": _processor(),
                "os": platform.platform(),
            },
            "plan": {
                "identity": plan.identity,
                "kelurahan": len(plan.kelurahan),
                "polling_stations": plan.stations,
                "boxes": plan.boxes,
                "events": plan.events,
                "events_by_log": plan.totals,
                "waves": len(plan.waves),
            },
            "targets": [
                {"text": text, "bound": bound, "measured": value, "met": _met(value, bound)}
                for text, bound, value in self._targets()
            ],
            "queries": self.queries,
            "millions": self.millions,
        }

    def _targets(self) -> list[tuple[str, float, float | None]]:
        medians = f"median of the last {LAST} whole millions / of the first {FIRST}"
        return [
            (f"processor time per event, {medians}, at most", 1.25, self._cost("cpu_us_per_event")),
            (f"wall time per event, {medians}, at most", 1.25, self._cost("wall_us_per_event")),
            ("box by id, p99 ms, at most", 5.0, self._p99("box by id")),
            ("boxes of a kelurahan, p99 ms, at most", 20.0, self._p99("boxes of a kelurahan")),
            ("disk in all, GB, at most", 45.0, self._disk()),
            ("memory of a service, MB, at most", 300.0, self._memory()),
        ]

    def _cost(self, measure: str) -> float | None:
        """Last against first; None where there are not enough whole millions to tell."""
        whole = [row[measure] for row in self.millions if row["whole"]]
        if len(whole) < FIRST + LAST:
            return None
        return round(median(whole[-LAST:]) / median(whole[:FIRST]), 3)

    def _p99(self, query: str) -> float | None:
        return self.queries[query]["p99_ms"] if query in self.queries else None

    def _disk(self) -> float | None:
        sums = [sum(row["disk_bytes"].values()) for row in self.millions]
        return round(max(sums) / GIGABYTE, 2) if sums else None

    def _memory(self) -> float | None:
        found = [
            row["memory_mb"][name]
            for row in self.millions
            for name in ROLES
            if name in row["memory_mb"]
        ]
        return max(found, default=None)

    def write(self) -> None:
        """In one step: whoever reads it sees the last million whole."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        draft = self.file.with_suffix(".json.draft")
        draft.write_text(json.dumps(self.content(), indent=2) + "\n")
        draft.replace(self.file)

    def show(self, console: Console) -> None:
        table = Table("target", "at most", "measured", "met")
        for text, bound, value in self._targets():
            met = {True: "yes", False: "no", None: "not measured"}[_met(value, bound)]
            table.add_row(text.removesuffix(", at most"), f"{bound:g}", f"{value}", met)
        console.print(table)
        console.print(f"{self.file}", highlight=False)


def _met(value: float | None, bound: float) -> bool | None:
    return None if value is None else value <= bound


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names: Sequence[str] = [
        line.partition(":")[2].strip() for line in lines if "model name" in line
    ]
    return names[0] if names else platform.processor()
