"""One row of the table: who is measured, what is held against whom, and what came of it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.bench.room import Room

OURS = "kawal"

Sample = Mapping[str, float]
"""A contender's figures in one round: {"rate": 33900.0, "p50_ms": 3.6, "p99_ms": 8.8}."""

Sampler = Callable[[], Awaitable[Sample]]


class NotRun(Exception):
    """A contender that could not be set up, or failed; the message is one line."""


@dataclass(frozen=True)
class Contender:
    """Who is measured: `open` sets up once and yields what does one round."""

    name: str
    open: Callable[["Room"], AbstractAsyncContextManager[Sampler]]


@dataclass(frozen=True)
class Figures:
    """What the rounds of a row gave, by contender; whoever was not run is in `absent`, with why."""

    samples: dict[str, list[Sample]] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)

    def values(self, contender: str, measure: str = "rate") -> list[float]:
        """A contender's figure in each round. Raises NotRun if there is none."""
        if contender in self.absent:
            raise NotRun(f"{contender} was not run: {self.absent[contender]}")
        found = [one[measure] for one in self.samples.get(contender, ()) if measure in one]
        if not found:
            raise NotRun(f"{contender} gave no {measure}")
        return found

    def median(self, contender: str, measure: str = "rate") -> float:
        return median(self.values(contender, measure))

    def low(self, contender: str, measure: str = "rate") -> float:
        return min(self.values(contender, measure))

    def high(self, contender: str, measure: str = "rate") -> float:
        return max(self.values(contender, measure))

    def best(self, *contenders: str, measure: str = "rate") -> float:
        """The highest median among them. Raises NotRun if one is missing: absence is no defeat."""
        return max(self.median(contender, measure) for contender in contenders)


def times(ours: str, *theirs: str, measure: str = "rate") -> Callable[[Figures], float]:
    """How many times as much as the best of them."""
    return lambda figures: figures.median(ours, measure) / figures.best(*theirs, measure=measure)


def figure(contender: str, measure: str = "rate") -> Callable[[Figures], float]:
    """A contender's own median."""
    return lambda figures: figures.median(contender, measure)


@dataclass(frozen=True)
class Target:
    """A figure that must reach `bound`, or with `most` not exceed it."""

    text: str
    bound: float
    measured: Callable[[Figures], float]
    most: bool = False

    def met(self, value: float) -> bool:
        return value <= self.bound if self.most else value >= self.bound


@dataclass(frozen=True)
class Row:
    """A line of the table. `measure` names the figure that it shows, `rounds` replaces the asked
    number of rounds, `seconds` is about what one run of it takes."""

    name: str
    title: str
    unit: str
    contenders: Sequence[Contender]
    targets: Sequence[Target]
    measure: str = "rate"
    rounds: int | None = None
    seconds: int = 120
