"""The totals of inventory: stations, boxes, ballots, sites, kits, findings."""

from typing import Any

PENDING = ("proposed", "surveyed", "letter-to-owner")


async def summary(sql: Any, pool: Any, where: dict[str, Any]) -> dict[str, Any]:
    """Totals of the region and jurisdiction in `where`."""
    needs = await sql.needs_summary(pool, **where)
    by_state = {row["state"]: row async for row in sql.sites_summary(pool, **where)}
    found = [row async for row in sql.findings_summary(pool, **where)]
    return {
        **needs,
        "kits": {"packed": await sql.kits_summary(pool, **where)},
        "sites": sites(
            {state: row["n"] for state, row in by_state.items()},
            {state: row["unchanged"] for state, row in by_state.items()},
        ),
        "findings": {
            "total": sum(row["n"] for row in found),
            "open": sum(row["open"] for row in found),
            "by_kind": {row["kind"]: row["n"] for row in found},
        },
    }


def sites(counts: dict[str, int], unchanged: dict[str, int]) -> dict[str, Any]:
    """Readiness; the total and percentages leave out sites that were rejected or replaced."""
    pending = sum(counts.get(state, 0) for state in PENDING)
    ready = counts.get("ready", 0)
    as_before = sum(unchanged.get(state, 0) for state in (*PENDING, "ready"))
    return {
        "total": ready + pending,
        "ready": ready,
        "pending": pending,
        "rejected": counts.get("rejected", 0),
        "replaced": counts.get("replaced", 0),
        "ready_pct": percent(ready, ready + pending),
        "unchanged_pct": percent(as_before, ready + pending),
    }


def percent(part: int, whole: int) -> float | None:
    """To one decimal; None of nothing."""
    return round(100 * part / whole, 1) if whole else None
