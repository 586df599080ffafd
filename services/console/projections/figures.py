"""Counters of the control room, folded in memory: what one batch adds to each figure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from shared.bus.message import Message

HELD = "boxes"
STATES = ("PRINTER", "KPU", "PPK", "PPS", "KPPS", "astray", "missing", "voided")
OUT_OF_CHAIN = {"orphan": "astray", "found": "astray", "missing": "missing"}


class UnitFact(msgspec.Struct):
    """The fields that the figures need of any fact about a unit."""

    unit: str
    unit_kind: str = ""
    custodian: str = ""
    giver: str = ""
    receiver: str = ""
    was: str = ""


class IncidentFact(msgspec.Struct):
    incident_kind: str = ""
    finding_kind: str = ""


unit_fact = msgspec.json.Decoder(UnitFact)
incident_fact = msgspec.json.Decoder(IncidentFact)


@dataclass
class Fold:
    """What a batch adds: (metric, key, region) -> n."""

    counts: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    def add(self, metric: str, key: str, region: str, n: int = 1) -> None:
        self.counts[metric, key, region] += n

    def move(self, region: str, before: str, after: str) -> None:
        """A box passes from one state to another; an empty name is no state."""
        if before:
            self.add(HELD, before, region, -1)
        if after:
            self.add(HELD, after, region)

    def columns(self) -> tuple[list[str], list[str], list[str], list[int]]:
        changed = [(key, n) for key, n in sorted(self.counts.items()) if n]
        metrics = [metric for (metric, _, _), _ in changed]
        keys = [key for (_, key, _), _ in changed]
        regions = [region for (_, _, region), _ in changed]
        return metrics, keys, regions, [n for _, n in changed]


def kind_of(office: str) -> str:
    """`PPK-31.71.01` -> `PPK`."""
    return office.partition("-")[0]


def city_of(subject: str) -> str:
    """The province and city in a subject `kawal.<service>.<prov>.<kab>...`."""
    tokens = subject.split(".", 4)
    return tokens[2] if tokens[3] == "_" else f"{tokens[2]}.{tokens[3]}"


def fold_units(fold: Fold, facts: Iterable[tuple[Message, UnitFact]]) -> None:
    for message, fact in facts:
        before, after = _transition(message.type, fact)
        fold.move(city_of(message.subject), before, after)


def _transition(type: str, fact: UnitFact) -> tuple[str, str]:
    match type:
        case "custody.unit-registered.v1":
            return "", kind_of(fact.custodian)
        case "custody.unit-handed-over.v1":
            return kind_of(fact.giver), kind_of(fact.receiver)
        case "custody.unit-orphaned.v1":
            return _left(fact), "astray"
        case "custody.unit-recovered.v1":
            return "astray", kind_of(fact.receiver)
        case "custody.unit-missing.v1":
            return _left(fact), "missing"
        case "custody.unit-found.v1":
            return "missing", "astray"
        case "custody.unit-voided.v1":
            return _left(fact), "voided"
    return "", ""


def _left(fact: UnitFact) -> str:
    """Where a box was counted until it left the chain."""
    return OUT_OF_CHAIN.get(fact.was) or kind_of(fact.custodian)


def newest(messages: Sequence[Message]) -> datetime:
    return messages[-1].recorded_at
