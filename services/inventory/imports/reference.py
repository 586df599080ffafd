"""The reference data shipped with the service: figures, electoral districts, catalogue."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from services.inventory.domain.catalogue import DefineItem
from services.inventory.domain.rules import SetRules

DATA = Path(__file__).parent.parent / "data"


@dataclass(frozen=True, slots=True)
class Figures:
    """Official totals of a city."""

    polling_stations: int
    voters: int


@cache
def figures() -> dict[str, Figures]:
    """City code -> official totals."""
    return {
        row["city"]: Figures(int(row["polling_stations"]), int(row["voters"]))
        for row in _rows("figures.csv")
    }


@cache
def _districts() -> dict[tuple[str, str], str]:
    return {(row["region"], row["kind"]): row["dapil"] for row in _rows("dapil.csv")}


def dapil(region: str) -> dict[str, str]:
    """Ballot kind -> electoral district of the region; what lies nearest above it decides."""
    parts = region.split(".")
    found: dict[str, str] = {}
    for length in range(1, len(parts) + 1):
        code = ".".join(parts[:length])
        found |= {kind: name for (of, kind), name in _districts().items() if of == code}
    return found


def catalogue(province: str) -> Iterator[DefineItem]:
    """The items that the catalogue starts with."""
    for row in _rows("catalogue.csv"):
        yield DefineItem(
            region=province,
            item=row["item"],
            item_name=row["name"],
            item_class=int(row["class"]),
            unit=row["unit"],
            per_tps=int(row["per_tps"]),
        )


def rules(province: str) -> SetRules:
    """The rules that hold until others are set."""
    return SetRules(region=province)


def _rows(name: str) -> Iterator[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)
