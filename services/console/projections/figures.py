"""Counters of the control room, folded in memory: what one batch adds to each figure."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

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
    """What a batch adds: (metric, key, region) -> n, and the last fact that touched each.

    What cancels out within a batch is kept too: how events are batched must not show.
    """

    counts: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    last: dict[tuple[str, str, str], Message] = field(default_factory=dict)

    def add(self, metric: str, key: str, message: Message, n: int = 1) -> None:
        figure = metric, key, city_of(message.subject)
        self.counts[figure] += n
        self.last[figure] = message

    def move(self, message: Message, before: str, after: str) -> None:
        """A box passes from one state to another; an empty name is no state."""
        if before:
            self.add(HELD, before, message, -1)
        if after:
            self.add(HELD, after, message)

    def columns(self) -> dict[str, list[Any]]:
        figures = sorted(self.counts)
        return {
            "metrics": [metric for metric, _, _ in figures],
            "keys": [key for _, key, _ in figures],
            "regions": [region for _, _, region in figures],
            "counts": [self.counts[figure] for figure in figures],
            "as_of": [self.last[figure].recorded_at for figure in figures],
        }


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
        fold.move(message, before, after)


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
