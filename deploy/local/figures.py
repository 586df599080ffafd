"""The table at the end of a demo."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table


def show(figures: Mapping[str, Any], faults: Sequence[str], console: Console) -> None:
    """Prints what was carried, what was detected, and what does not add up."""
    table = Table(
        "", "", title=f"Scope {figures['scope']}, seed {figures['seed']}", show_header=False
    )
    table.columns[1].justify = "right"
    for label, value in _rows(figures):
        table.add_row(label, value)
    console.print(table)
    if figures["mishaps"]:
        console.print(_mishaps(figures["mishaps"]))
    for fault in faults:
        console.print(f"not clean: {fault}", highlight=False, markup=False)
    if not faults:
        console.print("The reconciliation is clean.")


def _rows(figures: Mapping[str, Any]) -> list[tuple[str, str]]:
    custody, sites, letters = figures["custody"], figures["sites"], figures["letters"]
    events = sum(figures["events"].values())
    rate = events / figures["seconds"] if figures["seconds"] else 0
    return [
        ("polling stations", f"{figures['tps']:,}"),
        ("kelurahan", f"{figures['kelurahan']:,}"),
        ("ballot boxes", f"{figures['boxes']:,}"),
        ("ballots", f"{figures['ballots']:,}"),
        ("sites ready", f"{sites['ready']:,} of {sites['total']:,}"),
        ("sites unchanged", f"{sites['unchanged_pct']} %"),
        ("letters", ", ".join(f"{count} {state}" for state, count in letters.items() if count)),
        ("chains of custody unbroken", f"{custody['unbroken']:,} of {custody['units']:,}"),
        ("chains broken", f"{custody['broken']:,}"),
        ("events", f"{events:,} ({rate:,.0f} per second)"),
        ("seconds", f"{figures['seconds']:,}"),
    ]


def _mishaps(mishaps: Mapping[str, Mapping[str, int]]) -> Table:
    table = Table("mishap", "injected", "detected")
    for column in table.columns[1:]:
        column.justify = "right"
    for kind, count in mishaps.items():
        table.add_row(kind, str(count["injected"]), str(count["detected"]))
    return table
