"""What the rounds gave: entries of summary.json, and the table of the README."""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.bench.row import OURS, Figures, NotRun, Row, Target

BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"

Entry = dict[str, Any]


def entry(row: Row, figures: Figures, machine: str) -> Entry:
    """One object of summary.json. A target whose contenders were not run is not met."""
    held = [_held(target, figures) for target in row.targets]
    ours = [one.name for one in row.contenders if one.name.startswith(OURS)]
    peers = [one.name for one in row.contenders if one.name not in ours]
    made: Entry = {
        "name": row.name,
        "title": row.title,
        "unit": row.unit,
        "kawal": _spread(figures, OURS, row.measure),
        "peers": {name: _spread(figures, name, row.measure) for name in peers},
        "target": _one_or_all({one["text"]: one["target"] for one in held}),
        "measured": _one_or_all({one["text"]: one["measured"] for one in held}),
        "met": all(one["met"] for one in held),
        "targets": held,
        "others": {name: _spread(figures, name, row.measure) for name in ours if name != OURS},
        "medians": {name: _medians(figures, name) for name in figures.samples},
        "machine": machine,
    }
    return made


def _held(target: Target, figures: Figures) -> Entry:
    said: Entry = {"text": target.text, "target": target.bound, "at_most": target.most}
    try:
        value = target.measured(figures)
    except NotRun as reason:
        return said | {"measured": None, "met": False, "reason": str(reason)}
    return said | {"measured": _short(value), "met": target.met(value)}


def _one_or_all(by_text: Mapping[str, Any]) -> Any:
    return next(iter(by_text.values())) if len(by_text) == 1 else dict(by_text)


def _spread(figures: Figures, name: str, measure: str) -> Entry:
    try:
        return {
            "median": _short(figures.median(name, measure)),
            "min": _short(figures.low(name, measure)),
            "max": _short(figures.high(name, measure)),
        }
    except NotRun as reason:
        return {"not_run": figures.absent.get(name, str(reason))}


def _medians(figures: Figures, name: str) -> Entry:
    measures = dict.fromkeys(key for sample in figures.samples[name] for key in sample)
    return {each: _short(figures.median(name, each)) for each in measures}


def _short(value: float) -> float:
    """Four significant figures, which is more than a machine repeats."""
    return float(f"{value:.4g}")


def read(path: Path) -> list[Entry]:
    """What an earlier run wrote; nothing where there is none."""
    return json.loads(path.read_text()) if path.exists() else []


def write(path: Path, entries: Iterable[Entry], order: Sequence[str]) -> None:
    """Puts the entries in place of those of the same name, in one step."""
    by_name = {one["name"]: one for one in (*read(path), *entries)}
    kept = [by_name[name] for name in order if name in by_name]
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}")
    draft.write_text(json.dumps(kept, indent=2) + "\n")
    draft.replace(path)


def table(entries: Sequence[Entry], national: Mapping[str, Any] | None = None) -> str:
    """The README's table in Markdown, with the machines that the figures come from."""
    lines = [
        "| what | Kawal: median (min-max) | beside it: median | wanted | measured |",
        "|---|---|---|---|---|",
        *(_line(one) for one in entries),
    ]
    if national:
        lines.append(_national(national))
    machines = dict.fromkeys(one["machine"] for one in entries)
    return "\n".join([*lines, "", *(f"Measured on {each}." for each in machines)])


def _line(one: Entry) -> str:
    beside = [f"{name} {_said(spread)}" for name, spread in (one["others"] | one["peers"]).items()]
    wanted = [f"{_limit(held)} {_number(held['target'])} {held['text']}" for held in one["targets"]]
    cells = (
        one["title"],
        f"{_said(one['kawal'], spread_too=True)} {one['unit']}",
        "<br>".join(beside) or "-",
        "<br>".join(wanted),
        "<br>".join(_verdict(held) for held in one["targets"]),
    )
    return f"| {' | '.join(cells)} |"


def _said(spread: Entry, *, spread_too: bool = False) -> str:
    if "not_run" in spread:
        return f"not run ({spread['not_run'].replace('|', '/')})"
    said = _number(spread["median"])
    if spread_too:
        said += f" ({_number(spread['min'])}-{_number(spread['max'])})"
    return said


def _verdict(held: Entry) -> str:
    if held["measured"] is None:
        return "**not measured**"
    return _number(held["measured"]) if held["met"] else f"**{_number(held['measured'])}: missed**"


def _limit(held: Entry) -> str:
    return "≤" if held["at_most"] else "≥"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _national(run: Mapping[str, Any]) -> str:
    held, plan = run["targets"], run["plan"]
    cells = (
        "national run" if run["complete"] else "national run, not complete",
        f"{_number(plan['events'])} events over {_number(plan['boxes'])} boxes",
        "-",
        "<br>".join(f"{one['text']} {_number(one['bound'])}" for one in held),
        "<br>".join(_verdict(one) for one in held),
    )
    return f"| {' | '.join(cells)} |"


def between(document: str, content: str) -> str:
    """The document with `content` between its two markers; ValueError if it lacks them."""
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{BEGIN} and {END} are not both there")
    return f"{before}{BEGIN}\n{content}\n{END}{after}"
