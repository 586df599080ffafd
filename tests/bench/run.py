"""A run of the bench: row after row in a room of its own; what was found is written at once."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from shared.cli.app import Failure
from tests.bench import machine, report
from tests.bench.report import Entry
from tests.bench.room import opened
from tests.bench.rounds import Say, measure
from tests.bench.row import Row
from tests.bench.rows import NAMES


def run(rows: Sequence[Row], folder: Path, rounds: int, seconds: float, as_json: bool) -> None:
    """Measures these rows; a table on the terminal, or JSON on stdout, when all is done."""
    console = Console(stderr=True)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with console.status("") as status:

        def say(line: str) -> None:
            status.update(escape(line))
            if not console.is_terminal:
                console.print(line, highlight=False, markup=False, soft_wrap=True)

        entries = [asyncio.run(_measured(row, folder, rounds, seconds, say)) for row in rows]
    if as_json:
        print(json.dumps(entries, indent=2))
    else:
        Console().print(_shown(entries))


async def _measured(row: Row, folder: Path, rounds: int, seconds: float, say: Say) -> Entry:
    async with opened(folder / "room", seconds, folder / "peers") as room:
        figures = await measure(row, room, rounds, say)
    found = report.entry(row, figures, machine.describe(folder))
    report.write(folder / "summary.json", [found], NAMES)
    return found


def write_readme(readme: Path, folder: Path) -> None:
    """The README's table from what is in `folder`. Raises Failure if nothing is."""
    entries = report.read(folder / "summary.json")
    if not entries:
        raise Failure("nothing was measured yet: make bench")
    national = folder / "national.json"
    run = json.loads(national.read_text()) if national.exists() else None
    text = readme.read_text()
    readme.write_text(report.between(text, report.table(entries, run)))


def _shown(entries: Sequence[Entry]) -> Table:
    table = Table("row", "who", "median", "min", "max", "unit", box=None)
    for one in entries:
        everyone = {"kawal": one["kawal"], **one["others"], **one["peers"]}
        for name, spread in everyone.items():
            table.add_row(one["name"], name, *_cells(spread), one["unit"])
        for held in one["targets"]:
            verdict = "[green]met[/]" if held["met"] else "[red]not met[/]"
            value = held.get("reason", held["measured"])
            limit = "at most" if held["at_most"] else "at least"
            wanted = f"{limit} {held['target']:g} {held['text']}"
            table.add_row(one["name"], f"  {wanted}", escape(str(value)), "", "", verdict)
    return table


def _cells(spread: Entry) -> tuple[str, str, str]:
    if "not_run" in spread:
        return ("not run", escape(spread["not_run"]), "")
    return tuple(f"{spread[key]:,.5g}" for key in ("median", "min", "max"))
