"""The overview as data: each figure with the time of the last fact that it knows."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import aiosql
import asyncpg

from services.console.projections.figures import HELD, STATES

SQL = aiosql.from_path(Path(__file__).parent / "queries.sql", "asyncpg", mandatory_parameters=False)


async def read(connection: asyncpg.Connection, jurisdiction: Iterable[str]) -> dict[str, Any]:
    """The figures of what lies in `jurisdiction` (region codes, or `*` for all).

    Boxes and incidents are counted by city: who covers less than a city sees none of its.
    """
    scope = _scope(jurisdiction)
    sites = await SQL.sites(connection, **scope)
    letters = await SQL.letters(connection, **scope)
    figures = [row async for row in SQL.figures(connection, **scope)]
    return {
        "clock": _iso(await SQL.clock(connection)),
        "sites": {
            **_plain(sites),
            "ready_pct": _percent(sites["ready"], sites["total"]),
            "unchanged_pct": _percent(sites["unchanged"], sites["total"]),
        },
        "boxes": _group(figures, HELD, STATES),
        "incidents": _group(figures, "incidents"),
        "letters": _plain(letters),
    }


def _scope(jurisdiction: Iterable[str]) -> dict[str, Any]:
    codes = set(jurisdiction)
    return {"everything": "*" in codes, "scope": sorted(codes - {"*"})}


def _group(
    rows: Iterable[Mapping[str, Any]], metric: str, order: Iterable[str] = ()
) -> dict[str, Any]:
    found = {row["key"]: row for row in rows if row["metric"] == metric}
    keys = [*(key for key in order if key in found), *(k for k in sorted(found) if k not in order)]
    by_key = {key: found[key]["n"] for key in keys if found[key]["n"]}
    ages = [row["as_of"] for row in found.values()]
    return {"total": sum(by_key.values()), "by": by_key, "as_of": _iso(max(ages, default=None))}


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    return {k: _iso(v) if isinstance(v, datetime) else v for k, v in row.items()}


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _percent(part: int, whole: int) -> float | None:
    return round(100 * part / whole, 1) if whole else None
