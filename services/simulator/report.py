"""The reconciliation: what was planned against what the services themselves say."""

import asyncio
from dataclasses import dataclass
from typing import Any

from services.simulator.client import Client, Unexpected
from services.simulator.field import OWNERS, Field
from services.simulator.mishaps import KINDS, Plan

READERS = ("inventory", "custody", "exchange", "console")
QUIET = 300
"""Seconds that the projections are given to reach the end of every log."""


@dataclass(frozen=True, slots=True)
class Report:
    figures: dict[str, Any]
    faults: tuple[str, ...]
    """What is not clean, one sentence each."""


async def settle(client: Client) -> dict[str, Any]:
    """Wait until every stream and projection is where its store is, twice in a row."""
    clock = asyncio.get_running_loop().time
    deadline = clock() + QUIET
    before = None
    while True:
        positions = await _positions(client)
        if _level(positions) and positions == before:
            return positions
        if clock() > deadline:
            return positions
        before = positions
        await asyncio.sleep(0.25)


async def _positions(client: Client) -> dict[str, Any]:
    answers = await asyncio.gather(*(client.get(reader, "/positions") for reader in READERS))
    found = {
        owner: {"store": answer["store"], "stream": answer["stream"], "projections": {}}
        for owner, answer in zip(READERS, answers, strict=True)
        if owner in OWNERS
    }
    for answer in answers:
        for projection, sources in answer["projections"].items():
            for source, position in sources.items():
                found[source]["projections"][projection] = position
    return found


def _level(positions: dict[str, Any]) -> bool:
    return all(
        {row["stream"], *row["projections"].values()} == {row["store"]}
        for row in positions.values()
    )


async def detected(client: Client) -> set[tuple[str, str]]:
    """(kind, subject) of every incident and finding that the services have."""
    findings = await client.items("inventory", "/findings", limit=1000)
    incidents = await client.items("custody", "/incidents", limit=1000)
    found = {(row["kind"], _subject(row)) for row in findings}
    return found | {(row["kind"], _subject(row)) for row in incidents}


def _subject(row: dict[str, Any]) -> str:
    kind = KINDS.get(row["kind"])
    first, second = ("tps", "unit") if kind and kind.subject == "tps" else ("unit", "tps")
    return row.get(first) or row.get(second) or row.get("site") or "?"


async def reconcile(field: Field, positions: dict[str, Any], seconds: float) -> Report:
    client = field.client
    found = await detected(client)
    planned = {(mishap.kind, mishap.subject) for mishap in field.plan.mishaps}
    inventory = await client.get("inventory", "/summary")
    custody = await client.get("custody", "/summary")
    exchange = await client.get("exchange", "/summary")
    figures = {
        "scope": ",".join(field.world.scope),
        "seed": field.world.seed,
        "tps": inventory["tps"],
        "kelurahan": inventory["kelurahan"],
        "boxes": inventory["boxes"],
        "ballots": inventory["ballots"],
        "seconds": round(seconds, 1),
        "events": {owner: positions[owner]["store"] for owner in OWNERS},
        "positions": positions,
        "mishaps": _mishaps(field.plan, found),
        "unexpected": [{"kind": k, "subject": s} for k, s in sorted(found - planned)],
        "custody": {key: custody[key] for key in ("units", "unbroken", "broken")},
        "letters": exchange["letters"],
        "sites": inventory["sites"],
    }
    return Report(figures, tuple(await _faults(field, figures, planned, found)))


def _mishaps(plan: Plan, found: set[tuple[str, str]]) -> dict[str, dict[str, int]]:
    """Of each kind, how many were injected, and for how many of them kind and subject were found.

    One that nobody planned is a fault of the run, and no figure here.
    """
    kinds = {mishap.kind for mishap in plan.mishaps} | {kind for kind, _ in found}
    return {
        kind: {
            "injected": len(plan.of(kind)),
            "detected": sum((kind, mishap.subject) in found for mishap in plan.of(kind)),
        }
        for kind in KINDS
        if kind in kinds
    }


async def _faults(
    field: Field,
    figures: dict[str, Any],
    planned: set[tuple[str, str]],
    found: set[tuple[str, str]],
) -> list[str]:
    faults = [f"{kind} of {subject} was not detected" for kind, subject in sorted(planned - found)]
    faults += [f"{kind} of {what} was never planned" for kind, what in sorted(found - planned)]
    for owner, row in figures["positions"].items():
        if not _level({owner: row}):
            faults.append(f"{owner}: store, stream and projections differ: {row}")
    custody = figures["custody"]
    if custody["units"] != custody["unbroken"] + custody["broken"]:
        faults.append(f"units are not unbroken + broken: {custody}")
    faults += await _broken_faults(field)
    faults += await _parked(field.client)
    if figures["tps"] != len(field.world.stations):
        faults.append(f"{figures['tps']} polling stations, {len(field.world.stations)} planned")
    return faults


async def _parked(client: Client) -> list[str]:
    """Nothing may be set aside: no event that a read model could not take, no failed command."""
    faults = []
    for reader in READERS:
        answer = await client.get(reader, "/parked")
        faults += [f"{reader}: an event is parked: {event}" for event in answer["events"][:3]]
        faults += [f"{reader}: a command failed: {each}" for each in answer["commands"][:3]]
    return faults


async def _broken_faults(field: Field) -> list[str]:
    """The broken units must be exactly those whose mishap breaks a chain."""
    rows = await field.client.items("custody", "/units", broken="true", limit=1000)
    broken = {row["unit"] for row in rows}
    expected = _expected_broken(field)
    return [f"{unit} is broken and should not be" for unit in sorted(broken - expected)] + [
        f"{unit} should be broken and is not" for unit in sorted(expected - broken)
    ]


def _expected_broken(field: Field) -> set[str]:
    expected = set()
    for mishap in field.plan.mishaps:
        if not KINDS[mishap.kind].breaks_chain:
            continue
        if mishap.kind == "count-variance":
            boxes = field.world.stations[mishap.subject].boxes
            box = field.plan.missing_box(mishap.subject, boxes, mishap.leg)
            if box is None:
                raise Unexpected(f"no box of {mishap.subject} can be missing")
            expected.add(box)
        else:
            expected.add(mishap.subject)
    return expected
