"""Counts of polling stations and voters per kelurahan, and the stations that follow from them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from services.inventory.domain.apportion import evenly, largest_remainder
from services.inventory.domain.ids import FIRST_SPECIAL
from services.inventory.domain.registration import RegisterPollingStation
from services.inventory.imports import geography
from services.inventory.imports.reference import Figures


@dataclass(frozen=True, slots=True)
class Count:
    """What is known of a kelurahan; `special` stations are numbered from 901."""

    kelurahan: str
    regular: int
    special: int
    voters: int
    source: Literal["apportioned", "imported"]

    @property
    def stations(self) -> int:
        return self.regular + self.special


def apportioned(city: str, figures: Figures) -> list[Count]:
    """A city's official totals shared among its kelurahan by largest remainder.

    Equally, because nothing about their size is known here: an estimate, and labelled as one.
    """
    codes = geography.kelurahan_of(city)
    stations = largest_remainder(figures.polling_stations, dict.fromkeys(codes, 1))
    voters = largest_remainder(figures.voters, stations)
    return [Count(code, stations[code], 0, voters[code], "apportioned") for code in codes]


def stations(counts: Iterable[Count]) -> Iterator[RegisterPollingStation]:
    """Each kelurahan's stations, its voters spread evenly over them."""
    for count in counts:
        numbers = [*range(1, count.regular + 1)]
        numbers += range(FIRST_SPECIAL, FIRST_SPECIAL + count.special)
        voters = evenly(count.voters, len(numbers)) if numbers else []
        for number, electorate in zip(numbers, voters, strict=True):
            yield RegisterPollingStation(
                tps=f"{count.kelurahan}-{number:03}",
                number=number,
                voters=electorate,
                special=number >= FIRST_SPECIAL,
                source=count.source,
            )
