"""What is loaded and in which order: waves of kecamatan from all over the country.

The order is fixed and shuffled, so that a wave's new rows fall all over the indexes. Within a wave
every box goes one step before any goes the next, as on the day itself, so that a batch of the
projection seldom holds two events of one box. All is arithmetic: how many events a log has tells
which command wrote the last of them.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from itertools import accumulate

from services.inventory.imports import reference
from tests.bench.national.counts import Kelurahan

KINDS = ("PPWP", "DPR", "DPD", "DPRD_PROV", "DPRD_KAB")
JAKARTA = "31"
"""It elects no city councils, so its stations have four boxes."""

WAVE = 2_000
"""Polling stations of a wave, at least."""
RETURNING = 32
"""The boxes of every so many waves come back from the polling stations."""
LEGS = 3
ROLL = 1_000
ITEMS = sum(1 for _ in reference.catalogue(JAKARTA))

SERVICES = ("inventory", "custody")


def kinds_of(code: str) -> tuple[str, ...]:
    """The kinds of ballots of a region, each with a box of its own."""
    return KINDS[:4] if code.startswith(JAKARTA) else KINDS


@dataclass(frozen=True)
class Wave:
    """Kecamatan whose boxes are packed, go out and, of a `returning` one, come back together."""

    number: int
    kelurahan: tuple[Kelurahan, ...]
    returning: bool

    @cached_property
    def kecamatan(self) -> list[str]:
        return sorted({each.code[:8] for each in self.kelurahan})

    @cached_property
    def stations(self) -> int:
        return sum(each.stations for each in self.kelurahan)

    @cached_property
    def boxes(self) -> int:
        return sum(each.stations * len(kinds_of(each.code)) for each in self.kelurahan)

    @cached_property
    def rolls(self) -> int:
        """Seal rolls of one way."""
        return sum(rolls_of(each) for each in self.kelurahan)

    @property
    def events(self) -> dict[str, int]:
        """How many events it has in each log.

        A way is planned, departs, and has two confirmations on each leg; its boxes are sealed,
        loaded, and handed over on each leg; its seals are applied by the station.
        """
        ways = 2 if self.returning else 1
        way = self.rolls + self.stations * (1 + 2 + 2 * LEGS) + self.boxes * (2 + LEGS)
        regions = len(self.kecamatan) + len(self.kelurahan)
        return {"inventory": regions + 2 * self.stations, "custody": ways * way + self.boxes}


def rolls_of(kelurahan: Kelurahan) -> int:
    return -(-kelurahan.stations * len(kinds_of(kelurahan.code)) // ROLL)


@dataclass(frozen=True)
class Plan:
    """The waves, and before them what the whole country shares."""

    waves: Sequence[Wave]
    identity: str
    """Tells this plan from any other."""
    before: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        shared = 1 + ITEMS + len(self.provinces) + len(self.cities)
        object.__setattr__(self, "before", {"inventory": shared, "custody": 0})

    @cached_property
    def provinces(self) -> list[str]:
        return sorted({code[:2] for code in self.cities})

    @cached_property
    def cities(self) -> list[str]:
        return sorted({each.code[:5] for wave in self.waves for each in wave.kelurahan})

    @property
    def kelurahan(self) -> list[Kelurahan]:
        return [each for wave in self.waves for each in wave.kelurahan]

    @cached_property
    def stations(self) -> int:
        return sum(wave.stations for wave in self.waves)

    @cached_property
    def boxes(self) -> int:
        return sum(wave.boxes for wave in self.waves)

    @cached_property
    def totals(self) -> dict[str, int]:
        return {service: self.ends(service)[-1] for service in SERVICES}

    @property
    def events(self) -> int:
        return sum(self.totals.values())

    def ends(self, service: str) -> list[int]:
        """The log's last position before the first wave and after each."""
        sizes = (wave.events[service] for wave in self.waves)
        return list(accumulate(sizes, initial=self.before[service]))

    def place(self, service: str, position: int) -> tuple[int, int]:
        """Which part of the plan (0: what all share, 1: the first wave) has the event at
        `position`, and the position before that part; the first part for an empty log."""
        ends = self.ends(service)
        part = bisect_left(ends, position)
        return part, ends[part - 1] if part else 0


def plan(kelurahan: Sequence[Kelurahan], wave: int = WAVE) -> Plan:
    """The plan of these kelurahan; the same ones give the same."""
    by_kecamatan: dict[str, list[Kelurahan]] = {}
    for each in sorted(kelurahan, key=lambda each: each.code):
        by_kecamatan.setdefault(each.code[:8], []).append(each)
    waves: list[Wave] = []
    gathered: list[Kelurahan] = []
    for code in sorted(by_kecamatan, key=lambda code: sha256(code.encode()).digest()):
        gathered += by_kecamatan[code]
        if sum(each.stations for each in gathered) >= wave:
            waves.append(_wave(len(waves), gathered))
            gathered = []
    if gathered:
        waves.append(_wave(len(waves), gathered))
    content = repr((wave, RETURNING, LEGS, ITEMS, [tuple(w.kelurahan) for w in waves]))
    return Plan(waves, sha256(content.encode()).hexdigest())


def _wave(number: int, kelurahan: Sequence[Kelurahan]) -> Wave:
    return Wave(number, tuple(kelurahan), number % RETURNING == RETURNING - 1)
