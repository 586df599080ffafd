"""What custody would have recorded of a wave: its commands' facts, their bytes from templates.

The bytes are those of the contracts (a test compares them); making them of the models would cost
more than all that is measured.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from services.simulator import calendar, world
from shared.contracts import custody
from shared.eventstore.model import Append, NewEvent, Write
from tests.bench.national.appends import Actor, append, event
from tests.bench.national.counts import Kelurahan
from tests.bench.national.plan import LEGS, ROLL, Wave, kinds_of, rolls_of

REGISTERED = 1
"""Facts in a box's stream before its first seal."""
ON_A_WAY = 2 + LEGS
"""Facts of a box on one way: sealed, loaded, and handed over on each leg."""
WEIGHT_KG = 12

Stop = tuple[str, str, str]
"""A place, the office that takes over there, the region of both."""


def instant(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z"


@dataclass(frozen=True)
class Way:
    """Out to the polling stations, or back."""

    name: str
    direction: str
    rolls: str
    sealed: datetime
    opens: datetime
    closes: datetime
    legs: tuple[datetime, ...]
    before: int
    """Facts in a box's stream before this way's seal."""

    @property
    def back(self) -> bool:
        return self.direction == "return"


OUT = Way(
    "OUT",
    "outbound",
    world.OUTBOUND_ROLLS,
    calendar.PACKING,
    calendar.RELEASE_FROM,
    calendar.RELEASE_UNTIL,
    (calendar.TO_PPK, calendar.TO_PPS, calendar.TO_KPPS),
    REGISTERED,
)
BACK = Way(
    "RET",
    "return",
    world.RETURN_ROLLS,
    calendar.POLLS_CLOSED,
    calendar.RETURN_FROM,
    calendar.RETURN_UNTIL,
    tuple(calendar.RETURN.values()),
    REGISTERED + ON_A_WAY,
)


@dataclass
class Station:
    """A polling station; `index` is its place among those of its kelurahan."""

    kelurahan: str
    number: int
    index: int

    @cached_property
    def tps(self) -> str:
        return f"{self.kelurahan}-{self.number:03}"

    @cached_property
    def boxes(self) -> list[str]:
        return [world.box(self.tps, kind) for kind in kinds_of(self.kelurahan)]

    @cached_property
    def stops(self) -> tuple[Stop, ...]:
        """From the warehouse of the city to the crew."""
        code, tps = self.kelurahan, self.tps
        city, kecamatan = code[:5], code[:8]
        return (
            (f"GUDANG-{city}", f"KPU-{city}", city),
            (f"PPK-{kecamatan}", f"PPK-{kecamatan}", kecamatan),
            (f"PPS-{code}", f"PPS-{code}", code),
            (tps, f"KPPS-{tps}", code),
        )

    def roll(self, way: Way) -> tuple[str, int]:
        """The roll that this station's seals are of, and the number of its first one there."""
        number = self.index * len(self.boxes)
        return f"{world.roll_base(self.kelurahan)}{way.rolls[number // ROLL]}", number % ROLL

    def seals(self, way: Way) -> list[str]:
        roll, first = self.roll(way)
        return [f"{roll}{first + i:03}" for i in range(len(self.boxes))]


def stations(kelurahan: Kelurahan) -> list[Station]:
    return [Station(kelurahan.code, number, i) for i, number in enumerate(kelurahan.numbers)]


def appends(wave: Wave) -> Iterator[Append]:
    """The commands of a wave in order; every expected version is exact."""
    here = [station for each in wave.kelurahan for station in stations(each)]
    for way in (OUT, BACK) if wave.returning else (OUT,):
        for each in wave.kelurahan:
            yield from _rolls(way, each)
        for station in here:
            yield _seal(way, station)
        journeys = [Journey(way, station) for station in here]
        for journey in journeys:
            yield journey.plan()
        for journey in journeys:
            yield journey.depart()
        for leg in range(1, LEGS + 1):
            for journey in journeys:
                yield journey.give(leg)
            for journey in journeys:
                yield journey.receive(leg)


def _rolls(way: Way, kelurahan: Kelurahan) -> Iterator[Append]:
    code = kelurahan.code
    boxes = kelurahan.stations * len(kinds_of(code))
    for i in range(rolls_of(kelurahan)):
        roll, last = f"{world.roll_base(code)}{way.rolls[i]}", min(ROLL, boxes - i * ROLL) - 1
        data = f'{{"first":0,"last":{last},"region":"{code}","roll":"{roll}"}}'
        logged = event(custody.SealRollLogged.type, data, code)
        writes = (Write(f"seal-roll-{roll}", 0, (logged,)),)
        yield append(f"log {roll}", _officer(f"KPU-{code[:5]}"), way.sealed, writes)


def _seal(way: Way, station: Station) -> Append:
    """The boxes are registered with their seals, or get new ones after the count."""
    place, custodian, region = station.stops[-1 if way.back else 0]
    roll, first = station.roll(way)
    seals = station.seals(way)
    writes = [
        Write(f"unit-{box}", way.before if way.back else 0, facts)
        for box, facts in zip(
            station.boxes,
            (_resealed if way.back else _begun)(station, seals, place, custodian, region),
            strict=True,
        )
    ]
    pairs = ",".join(
        f'{{"seal":"{seal}","unit":"{box}"}}'
        for seal, box in zip(seals, station.boxes, strict=True)
    )
    code = station.kelurahan
    data = f'{{"region":"{code}","roll":"{roll}","seals":[{pairs}]}}'
    applied = event(custody.SealsApplied.type, data, code)
    used = first // len(station.boxes)
    writes.append(Write(f"seal-roll-{roll}", 1 + used, (applied,)))
    return append(f"seal {way.name} {station.tps}", _officer(custodian), way.sealed, writes)


def _begun(
    station: Station, seals: Sequence[str], place: str, custodian: str, region: str
) -> Iterator[tuple[NewEvent, ...]]:
    code, tps = station.kelurahan, station.tps
    for box, kind, seal in zip(station.boxes, kinds_of(code), seals, strict=True):
        registered = (
            f'{{"contents":"{kind}","custodian":"{custodian}","home":"{code}","place":"{place}",'
            f'"region":"{region}","tps":"{tps}","unit":"{box}","unit_kind":"box"}}'
        )
        sealed = f'{{"place":"{place}","region":"{region}","seal":"{seal}","unit":"{box}"}}'
        yield (
            event(custody.UnitRegistered.type, registered, region),
            event(custody.UnitSealed.type, sealed, region),
        )


def _resealed(
    station: Station, seals: Sequence[str], place: str, custodian: str, region: str
) -> Iterator[tuple[NewEvent, ...]]:
    for box, seal, before in zip(station.boxes, seals, station.seals(OUT), strict=True):
        data = (
            f'{{"place":"{place}","region":"{region}","replaces":"{before}",'
            f'"seal":"{seal}","unit":"{box}"}}'
        )
        yield (event(custody.UnitSealed.type, data, region),)


class Journey:
    """A station's boxes on one way: one consignment."""

    def __init__(self, way: Way, station: Station) -> None:
        self.way = way
        self.tps = station.tps
        self.home = station.kelurahan
        self.boxes = station.boxes
        self.seals = station.seals(way)
        self.stops = station.stops[::-1] if way.back else station.stops
        self.name = f"{way.name}-{station.tps}"
        self.stream = f"consignment-{self.name}"
        self.regions = tuple(dict.fromkeys(region for _, _, region in self.stops))
        listed = ",".join(f'"{region}"' for region in self.regions)
        self.concerned = f'"route_regions":[{listed}],"tps":"{self.tps}"'

    def plan(self) -> Append:
        way, (_, office, origin) = self.way, self.stops[0]
        route = ",".join(
            f'{{"office":"{office}","place":"{place}","region":"{region}"}}'
            for place, office, region in self.stops
        )
        units = ",".join(f'"{box}"' for box in self.boxes)
        manifest = (
            '{"container":"","driver":"person-driver-2","escorts":["person-polri-3",'
            f'"person-polri-4"],"koli":{len(self.boxes)},"observers":[],"plate":"B 9001 KPU",'
            f'"sheets":{len(self.boxes) * 255},"vehicle":"Truk boks",'
            f'"weight_kg":{len(self.boxes) * WEIGHT_KG}}}'
        )
        data = (
            f'{{"consignment":"{self.name}","direction":"{way.direction}","manifest":{manifest},'
            f'"region":"{self.home}","release_from":"{instant(way.opens)}",'
            f'"release_until":"{instant(way.closes)}","route":[{route}],{self.concerned},'
            f'"units":[{units}]}}'
        )
        planned = self._event(custody.ConsignmentPlanned.type, data, self.home)
        writes = [Write(self.stream, 0, (planned,))]
        for box in self.boxes:
            data = f'{{"consignment":"{self.name}","region":"{origin}","unit":"{box}"}}'
            loaded = event(custody.UnitLoaded.type, data, origin)
            writes.append(Write(f"unit-{box}", way.before + 1, (loaded,)))
        return append(f"plan {self.name}", _officer(office), way.sealed, writes)

    def depart(self) -> Append:
        place, office, region = self.stops[0]
        at = self.way.legs[0]
        data = (
            f'{{"consignment":"{self.name}","departed_at":"{instant(at)}","place":"{place}",'
            f'"region":"{region}",{self.concerned},"units":{len(self.boxes)}}}'
        )
        departed = self._event(custody.ConsignmentDeparted.type, data, region)
        write = Write(self.stream, 1, (departed,))
        return append(f"depart {self.name}", _officer(office), at, (write,))

    def give(self, leg: int) -> Append:
        giver, (place, receiver, region) = self.stops[leg - 1][1], self.stops[leg]
        actor = _officer(giver)
        data = (
            f'{{"consignment":"{self.name}","given_by":"{actor[0]}","giver":"{giver}","leg":{leg},'
            f'"place":"{place}","receiver":"{receiver}","region":"{region}",{self.concerned},'
            f'"units":{len(self.boxes)}}}'
        )
        given = self._event(custody.HandOverGiven.type, data, region)
        write = Write(self.stream, 2 * leg, (given,))
        return append(f"give {self.name} {leg}", actor, self.way.legs[leg - 1], (write,))

    def receive(self, leg: int) -> Append:
        giver, (place, receiver, region) = self.stops[leg - 1][1], self.stops[leg]
        actor, at = _officer(receiver), self.way.legs[leg - 1]
        count, final = len(self.boxes), "true" if leg == LEGS else "false"
        act = f"BAST/{self.name}/{leg}"
        data = (
            f'{{"attended_by":["BAWASLU"],"bast":"{act}","consignment":"{self.name}",'
            f'"final":{final},"given":{count},"giver":"{giver}","leg":{leg},"missing":[],'
            f'"place":"{place}","received":{count},"received_at":"{instant(at)}",'
            f'"received_by":"{actor[0]}","receiver":"{receiver}","region":"{region}",'
            f"{self.concerned}}}"
        )
        received = self._event(custody.HandOverReceived.type, data, region)
        writes = [Write(self.stream, 2 * leg + 1, (received,))]
        head = (
            f'{{"bast":"{act}","condition":"good","consignment":"{self.name}","final":{final},'
            f'"giver":"{giver}","leg":{leg},"place":"{place}","receiver":"{receiver}",'
            f'"region":"{region}","seal":"'
        )
        before = self.way.before + 1 + leg
        for box, seal in zip(self.boxes, self.seals, strict=True):
            data = f'{head}{seal}","unit":"{box}"}}'
            handed = event(custody.UnitHandedOver.type, data, region)
            writes.append(Write(f"unit-{box}", before, (handed,)))
        return append(f"receive {self.name} {leg}", actor, at, writes)

    def _event(self, type: str, data: str, region: str) -> NewEvent:
        return event(type, data, region, tuple(dict.fromkeys((region, *self.regions))))


def _officer(office: str) -> Actor:
    """A person of the office, which is of its agency."""
    return f"person-{office.lower()}", office.partition("-")[0]
