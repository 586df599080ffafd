"""The planned mishaps: which kinds there are, where each can happen, and how they are chosen.

Nothing of the plan reaches a service: a mishap changes only what the field does (a box is not
loaded, a seal is read differently, a lorry leaves too early).
"""

import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from services.simulator.world import World

Subject = Literal["tps", "box", "koli"]


@dataclass(frozen=True, slots=True)
class Kind:
    """`service` is where it must be detected; `legs` are those on which it can happen (0: none)."""

    name: str
    subject: Subject
    service: str
    legs: tuple[int, ...] = (0,)
    breaks_chain: bool = False


ALL_LEGS = (1, 2, 3, 4, 5, 6)
KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("swapped-ballots", "tps", "inventory"),
        Kind("kit-incomplete", "tps", "inventory"),
        Kind("delivery-variance", "koli", "inventory"),
        Kind("sorting-variance", "koli", "inventory"),
        Kind("hazard", "tps", "inventory"),
        Kind("early-release", "tps", "custody", (1, 4)),
        Kind("seal-missing", "box", "custody", ALL_LEGS, breaks_chain=True),
        Kind("seal-different", "box", "custody", ALL_LEGS, breaks_chain=True),
        Kind("damaged", "box", "custody", ALL_LEGS),
        Kind("count-variance", "tps", "custody", ALL_LEGS, breaks_chain=True),
        Kind("wrong-destination", "box", "custody", ALL_LEGS, breaks_chain=True),
        Kind("unregistered-place", "box", "custody", ALL_LEGS, breaks_chain=True),
        Kind("late", "tps", "custody", (3,)),
        Kind("outside-hours", "tps", "custody", (1, 2, 3)),
        Kind("supervisor-absent", "tps", "custody", ALL_LEGS),
    )
}

SEAL_KINDS = frozenset({"seal-missing", "seal-different"})
REPEATABLE = frozenset({"count-variance", "outside-hours", "supervisor-absent"})
"""What may befall a station on several legs of a way; the others leave their subject changed."""


class BadPlan(Exception):
    """The list of mishaps cannot be played; the message names the entry."""


@dataclass(frozen=True, slots=True)
class Mishap:
    kind: str
    subject: str
    leg: int = 0


class Plan:
    """The mishaps of a run, looked up by what the field is about to do."""

    def __init__(self, mishaps: Iterable[Mishap]) -> None:
        self.mishaps = tuple(mishaps)
        self._index = {(m.kind, m.subject, m.leg) for m in self.mishaps}

    def at(self, kind: str, subject: str, leg: int = 0) -> bool:
        return (kind, subject, leg) in self._index

    def of(self, kind: str) -> list[Mishap]:
        return [mishap for mishap in self.mishaps if mishap.kind == kind]

    def missing_box(self, tps: str, boxes: Sequence[str], leg: int) -> str | None:
        """The box that a count variance takes: the first without a mishap of its own that no
        earlier leg took; None if there is none, for a station keeps at least one box."""
        if not self.at("count-variance", tps, leg):
            return None
        busy = {mishap.subject for mishap in self.mishaps}
        free = [box for box in boxes if box not in busy][: len(boxes) - 1]
        taken = sum(self.at("count-variance", tps, before) for before in range(1, leg))
        return free[taken] if taken < len(free) else None


def choose(world: World, seed: int) -> Plan:
    """A seeded set: every kind, more often in a larger scope, at most one for a station."""
    draw = random.Random(f"{seed}:{','.join(world.scope)}")
    stations = draw.sample(list(world.stations), len(world.stations))
    koli = draw.sample(list(world.koli), len(world.koli))
    each = max(1, min(len(stations) // 400, 40))
    chosen: list[Mishap] = []
    for kind in KINDS.values():
        for _ in range(each):
            if kind.subject == "koli":
                chosen.append(Mishap(kind.name, koli.pop()))
            elif stations:
                chosen.append(_mishap(kind, stations.pop(), world, draw))
    return Plan(chosen)


def _mishap(kind: Kind, tps: str, world: World, draw: random.Random) -> Mishap:
    subject = tps if kind.subject == "tps" else draw.choice(world.stations[tps].boxes)
    return Mishap(kind.name, subject, draw.choice(kind.legs))


def load(path: Path, world: World) -> Plan:
    """The mishaps of a file, each of something that is in this world."""
    mishaps = read(path)
    for number, mishap in enumerate(mishaps):
        kind = KINDS[mishap.kind]
        if not world.knows(kind.subject, mishap.subject):
            raise _wrong_subject(number, kind, mishap.subject)
    _check_together(mishaps, world)
    return Plan(mishaps)


def read(path: Path) -> list[Mishap]:
    """A file's list of `{"kind", "unit" or "tps", "leg"}`, as far as it is right in any world."""
    try:
        entries = json.loads(path.read_text())
    except (OSError, ValueError, RecursionError) as error:
        raise BadPlan(f"{path}: {error}") from None
    if not isinstance(entries, list):
        raise BadPlan(f"{path}: a list is expected")
    return [_read(entry, number) for number, entry in enumerate(entries)]


def _read(entry: object, number: int) -> Mishap:
    where = f"mishap {number}"
    if not isinstance(entry, dict) or set(entry) - {"kind", "unit", "tps", "leg"}:
        raise BadPlan(f"{where}: an object with kind, unit or tps, and leg is expected")
    kind = KINDS.get(str(entry.get("kind")))
    if kind is None:
        raise BadPlan(f"{where}: unknown kind {entry.get('kind')!r}; known: {', '.join(KINDS)}")
    subject = entry.get("tps" if kind.subject == "tps" else "unit")
    if not isinstance(subject, str):
        raise _wrong_subject(number, kind, subject)
    leg = entry.get("leg", kind.legs[0])
    if kind.legs == (0,):
        leg = 0
    if leg not in kind.legs:
        raise BadPlan(f"{where}: {kind.name} happens on legs {kind.legs}, not {leg!r}")
    return Mishap(kind.name, subject, leg)


def _wrong_subject(number: int, kind: Kind, subject: object) -> BadPlan:
    return BadPlan(
        f"mishap {number}: {kind.name} needs a {kind.subject} of the scope, got {subject!r}"
    )


def _check_together(mishaps: Sequence[Mishap], world: World) -> None:
    seen: set[tuple[str, str, int]] = set()
    for mishap in mishaps:
        half = "seal" if mishap.kind in SEAL_KINDS else mishap.kind
        way = mishap.leg if mishap.kind in REPEATABLE else mishap.leg > 3
        key = (half, mishap.subject, way)
        if key in seen:
            raise BadPlan(f"{mishap.kind} of {mishap.subject} is there twice for the same way")
        seen.add(key)
    plan = Plan(mishaps)
    for mishap in plan.of("count-variance"):
        boxes = world.stations[mishap.subject].boxes
        if plan.missing_box(mishap.subject, boxes, mishap.leg) is None:
            raise BadPlan(f"count-variance of {mishap.subject}: no box is left for it")
