"""The field as the simulator knows it: stations, places, offices, seals, routes.

Built from what inventory answers; everything else follows from the codes, so that a run that starts
again plans the same.
"""

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

BALLOT_KINDS = ("PPWP", "DPR", "DPD", "DPRD_PROV")
RETURN_ROLLS = "NOPQRSTUVWXYZ"
OUTBOUND_ROLLS = "ABCDEFGHIJKLM"


@dataclass(frozen=True, slots=True)
class Station:
    """A polling station with what it needs; `index` is its place in the kelurahan's order."""

    tps: str
    kelurahan: str
    index: int
    voters: int
    ballots: Mapping[str, int]
    dapil: Mapping[str, str]
    items: Mapping[str, int]
    boxes: tuple[str, ...]

    @property
    def kecamatan(self) -> str:
        return self.kelurahan[:8]

    @property
    def city(self) -> str:
        return self.kelurahan[:5]

    @property
    def kpps(self) -> str:
        return f"KPPS-{self.tps}"

    def seals(self, rolls: str) -> tuple[str, ...]:
        """The numbers of this station's seals, from the kelurahan's outbound or return rolls."""
        first = self.index * len(self.boxes)
        return tuple(
            seal(roll_base(self.kelurahan), rolls, first + i) for i in range(len(self.boxes))
        )


def roll_base(region: str) -> str:
    return region.replace(".", "")


def seal(base: str, rolls: str, number: int) -> str:
    return f"{base}{rolls[number // 1000]}{number % 1000:03d}"


def box(tps: str, kind: str) -> str:
    return f"BOX-{tps}-{kind.replace('_', '-')}"


def tps_of_box(unit: str) -> str:
    return "-".join(unit.split("-")[1:3])


@dataclass(frozen=True, slots=True)
class Place:
    """A storage site of the plan. `settles` is False for the 95 % that are as before."""

    site: str
    region: str
    function: str
    name: str
    pending: bool = False
    replaced_by: str | None = None


@dataclass
class World:
    scope: tuple[str, ...]
    seed: int
    stations: dict[str, Station]
    names: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def kelurahan(self) -> dict[str, list[Station]]:
        found: dict[str, list[Station]] = {}
        for station in self.stations.values():
            found.setdefault(station.kelurahan, []).append(station)
        return found

    @cached_property
    def kecamatan(self) -> list[str]:
        return sorted({code[:8] for code in self.kelurahan})

    @cached_property
    def cities(self) -> list[str]:
        return sorted({code[:5] for code in self.kelurahan})

    @cached_property
    def koli(self) -> dict[str, tuple[str, str]]:
        """Koli of ballots: unit -> (kelurahan, ballot kind)."""
        return {
            f"KOLI-{code}-{kind.replace('_', '-')}": (code, kind)
            for code in self.kelurahan
            for kind in BALLOT_KINDS
        }

    @cached_property
    def places(self) -> dict[str, Place]:
        """Every storage place of the plan, by site id; one in twenty waits for certainty."""
        sites = [Place("PERCETAKAN-31", "31", "printer", "Percetakan surat suara")]
        sites += [
            Place(f"GUDANG-{code}", code, "city-warehouse", f"Gudang KPU {self.name(code)}")
            for code in self.cities
        ]
        stores = [
            Place(f"PPK-{code}", code, "district-store", f"Gudang PPK {self.name(code)}")
            for code in self.kecamatan
        ]
        stores += [
            Place(f"PPS-{code}", code, "village-post", f"Pos PPS {self.name(code)}")
            for code in self.kelurahan
        ]
        return {place.site: place for place in sites + self._unsettle(stores)}

    def _unsettle(self, stores: Sequence[Place]) -> list[Place]:
        draw = random.Random(f"{self.seed}:sites")
        share = max(1, round(len(stores) * 0.05))
        waiting = {place.site: i for i, place in enumerate(draw.sample(list(stores), share))}
        return [_unsettled(place, waiting.get(place.site)) for place in stores]

    def name(self, code: str) -> str:
        return self.names.get(code, code)

    def place(self, site: str) -> str:
        """The site that is used in the end: the replacement where there is one."""
        return self.places[site].replaced_by or site

    def route(self, station: Station) -> list[dict[str, str]]:
        """The way of a station's boxes from the warehouse of the city to its crew."""
        return [
            self.warehouse(station.city),
            self.district(station.kecamatan),
            self.village(station.kelurahan),
            {"place": station.tps, "office": station.kpps, "region": station.kelurahan},
        ]

    def warehouse(self, city: str) -> dict[str, str]:
        return {"place": self.place(f"GUDANG-{city}"), "office": f"KPU-{city}", "region": city}

    def district(self, code: str) -> dict[str, str]:
        return {"place": self.place(f"PPK-{code}"), "office": f"PPK-{code}", "region": code}

    def village(self, code: str) -> dict[str, str]:
        return {"place": self.place(f"PPS-{code}"), "office": f"PPS-{code}", "region": code}

    def stray(self, station: Station) -> dict[str, str]:
        """A registered place that is not on the station's route: another crew, or the printer."""
        neighbours = self.kelurahan[station.kelurahan]
        other = neighbours[(station.index + 1) % len(neighbours)]
        if other is station:
            return {"place": "PERCETAKAN-31", "office": "PRINTER-31", "region": "31"}
        return {"place": other.tps, "office": other.kpps, "region": other.kelurahan}

    def recap_boxes(self, kecamatan: str) -> tuple[str, str]:
        return f"REKAP-{kecamatan}-1", f"REKAP-{kecamatan}-2"

    def knows(self, subject: str, identity: str) -> bool:
        if subject == "tps":
            return identity in self.stations
        if subject == "koli":
            return identity in self.koli
        station = self.stations.get(tps_of_box(identity)) if identity.startswith("BOX-") else None
        return station is not None and identity in station.boxes


def _unsettled(place: Place, rank: int | None) -> Place:
    if rank is None:
        return place
    replaced_by = f"{place.site}-B" if rank % 3 == 2 else None
    return Place(place.site, place.region, place.function, place.name, True, replaced_by)


def build(
    scope: Sequence[str],
    seed: int,
    rows: Iterable[Mapping[str, Any]],
    names: Mapping[str, str],
) -> World:
    """The world from inventory's polling stations (rows of `GET /polling-stations`).

    One that lies in two regions of the scope is there twice, and counts once.
    """
    counts: dict[str, int] = {}
    stations: dict[str, Station] = {}
    for row in sorted({row["tps"]: row for row in rows}.values(), key=lambda row: row["tps"]):
        region, tps = row["region"], row["tps"]
        index = counts.get(region, 0)
        counts[region] = index + 1
        stations[tps] = Station(
            tps=tps,
            kelurahan=region,
            index=index,
            voters=row["voters"],
            ballots=row["ballots"],
            dapil=row["dapil"],
            items=row["items"],
            boxes=tuple(box(tps, kind) for kind in BALLOT_KINDS),
        )
    return World(tuple(scope), seed, stations, names)
