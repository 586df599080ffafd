"""What a decision has to be told from outside its streams: read models and configuration."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from shared.contracts.base import RegionCode
from shared.contracts.exchange import AttachedSite

REGION_LENGTHS = (2, 5, 8, 13)


@dataclass(frozen=True, slots=True)
class Steps:
    """How long an agency has: to acknowledge once issued, to follow up once dispatched."""

    acknowledge: timedelta = timedelta(days=7)
    follow_up: timedelta = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Subscriber:
    """An agency with what it wants notices about."""

    agency: str
    jurisdiction: frozenset[str]
    topics: frozenset[str]


@dataclass(frozen=True, slots=True)
class Kelurahan:
    """What is distributed to a kelurahan."""

    region: RegionCode
    name: str
    stations: int
    boxes: int


@dataclass(frozen=True, slots=True)
class Attachments:
    """What a letter about a region can attach now: places that are ready, kelurahan to supply."""

    sites: tuple[AttachedSite, ...] = ()
    kelurahan: tuple[Kelurahan, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    steps: Mapping[str, Steps] = field(default_factory=dict)
    """By the letter's nature (sifat)."""
    subscribers: Sequence[Subscriber] = ()
    attachments: Mapping[str, Attachments] = field(default_factory=dict)
    """By the region of the letter."""
    loopback: bool = False
    """Whether an endpoint may be http on this machine: for development alone."""

    def steps_of(self, nature: str) -> Steps:
        return self.steps.get(nature) or Steps()

    def concerned(self, topic: str, regions: Iterable[str]) -> tuple[str, ...]:
        """The agencies that want notices on the topic and whose jurisdiction covers a region."""
        within = {region[:length] for region in regions for length in REGION_LENGTHS}
        return tuple(
            subscriber.agency
            for subscriber in self.subscribers
            if topic in subscriber.topics and not subscriber.jurisdiction.isdisjoint(within)
        )
