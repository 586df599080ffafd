"""A leg of the way: what giver and receiver see, sign and report, mishaps included."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.simulator import calendar
from services.simulator.client import Actor, custodian
from services.simulator.field import Command, Field
from services.simulator.world import OUTBOUND_ROLLS, RETURN_ROLLS, Station

UNREGISTERED = "BALAI-TIDAK-TERDAFTAR"


@dataclass(frozen=True, slots=True)
class Leg:
    """Leg 1..6 of a station's boxes: 1-3 outbound, 4-6 return."""

    number: int
    when: datetime

    @property
    def outbound(self) -> bool:
        return self.number <= 3

    @property
    def of_consignment(self) -> int:
        return self.number if self.outbound else self.number - 3


def consignment(station: Station, leg: Leg) -> str:
    return f"{'OUT' if leg.outbound else 'RET'}-{station.tps}"


class Boxes:
    """What the boxes of a station are like as a leg begins or ends, by the plan of mishaps."""

    def __init__(self, field: Field, station: Station) -> None:
        self._plan = field.plan
        self._station = station

    def lost(self, leg: int) -> list[str]:
        """Boxes that are gone once `leg` is over."""
        found = (
            self._plan.missing_box(self._station.tps, self._station.boxes, number)
            for number in range(1, leg + 1)
        )
        return [box for box in found if box is not None]

    def present(self, leg: int) -> list[str]:
        gone = self.lost(leg)
        return [box for box in self._station.boxes if box not in gone]

    def strayed(self, leg: int) -> list[str]:
        return [b for b in self.present(leg) if self._plan.at("wrong-destination", b, leg)]

    def state(self, box: str, leg: Leg, seen: int) -> dict[str, str | None]:
        """What a person reads on `leg`, of the mishaps up to and including leg `seen`."""
        damaged = any(self._plan.at("damaged", box, n) for n in range(1, seen + 1))
        condition = "damaged" if damaged else "good"
        return {"unit": box, "seal": self._seal(box, leg, seen), "condition": condition}

    def _seal(self, box: str, leg: Leg, seen: int) -> str | None:
        rolls, first = (OUTBOUND_ROLLS, 1) if leg.outbound else (RETURN_ROLLS, 4)
        seal = self._station.seals(rolls)[self._station.boxes.index(box)]
        for number in range(first, seen + 1):
            if self._plan.at("seal-missing", box, number):
                return None
            if self._plan.at("seal-different", box, number):
                return f"{seal}X"
        return seal


async def hand_over(field: Field, leg: Leg, stations: Sequence[Station], name: str) -> None:
    """Strays first, then both confirmations, then the strays that are forwarded."""
    await _unregistered(field, leg, stations, name)
    await _strays(field, leg, stations, name)
    giver, receiver = _parties(leg)
    given = [_give(field, station, leg) for station in stations]
    await field.send(f"{name}: given", "custody", given, custodian(giver))
    received = [_receive(field, station, leg) for station in stations]
    await field.send(f"{name}: received", "custody", received, custodian(receiver))
    await _recover(field, leg, stations, name, custodian(receiver))


def _parties(leg: Leg) -> tuple[str, str]:
    offices = ("KPU", "PPK", "PPS", "KPPS")
    if leg.outbound:
        return offices[leg.number - 1], offices[leg.number]
    return offices[7 - leg.number], offices[6 - leg.number]


def _give(field: Field, station: Station, leg: Leg) -> Command:
    boxes = Boxes(field, station)
    strayed = boxes.strayed(leg.number)
    before = leg.number - 1
    present = [box for box in boxes.present(before) if box not in strayed]
    units = [boxes.state(box, leg, before) for box in present]
    return {
        "name": "give-hand-over",
        "consignment": consignment(station, leg),
        "leg": leg.of_consignment,
        "units": units,
        "occurred_at": leg.when.isoformat(),
    }


def _receive(field: Field, station: Station, leg: Leg) -> Command:
    boxes = Boxes(field, station)
    strayed = boxes.strayed(leg.number)
    present = [box for box in boxes.present(leg.number) if box not in strayed]
    missing = [box for box in boxes.lost(leg.number) if box not in boxes.lost(leg.number - 1)]
    absent = field.plan.at("supervisor-absent", station.tps, leg.number)
    when = leg.when
    if field.plan.at("outside-hours", station.tps, leg.number):
        when = leg.when.replace(hour=23, minute=30)
    return {
        "name": "receive-hand-over",
        "consignment": consignment(station, leg),
        "leg": leg.of_consignment,
        "units": [boxes.state(box, leg, leg.number) for box in present],
        "missing": missing,
        "attended_by": [] if absent else ["BAWASLU"],
        "occurred_at": when.isoformat(),
    }


async def _unregistered(field: Field, leg: Leg, stations: Sequence[Station], name: str) -> None:
    giver, _ = _parties(leg)
    commands = [
        {
            "name": "scan-unit",
            "unit": box,
            "place": UNREGISTERED,
            "office": _office(field, station, leg, leg.of_consignment - 1),
            "occurred_at": leg.when.isoformat(),
        }
        for station in stations
        for box in Boxes(field, station).present(leg.number)
        if field.plan.at("unregistered-place", box, leg.number)
    ]
    await field.send(f"{name}: seen elsewhere", "custody", commands, custodian(giver))


def _office(field: Field, station: Station, leg: Leg, node: int) -> str:
    return _route(field, station, leg)[node]["office"]


def _route(field: Field, station: Station, leg: Leg) -> list[dict[str, str]]:
    route = field.world.route(station)
    return route if leg.outbound else route[::-1]


async def _strays(field: Field, leg: Leg, stations: Sequence[Station], name: str) -> None:
    by_agency: dict[str, list[Command]] = {}
    for station in stations:
        stray = field.world.stray(station)
        for box in Boxes(field, station).strayed(leg.number):
            command = {
                "name": "scan-unit",
                "unit": box,
                "place": stray["place"],
                "office": stray["office"],
                "occurred_at": leg.when.isoformat(),
            }
            by_agency.setdefault(stray["office"].split("-")[0], []).append(command)
    for agency, commands in by_agency.items():
        await field.send(f"{name}: strays ({agency})", "custody", commands, custodian(agency))


async def _recover(
    field: Field, leg: Leg, stations: Sequence[Station], name: str, actor: Actor
) -> None:
    commands = []
    for station in stations:
        node = _route(field, station, leg)[leg.of_consignment]
        boxes = Boxes(field, station)
        for box in boxes.strayed(leg.number):
            commands.append(
                boxes.state(box, leg, leg.number)
                | {
                    "name": "recover-unit",
                    "giver": field.world.stray(station)["office"],
                    "receiver": node["office"],
                    "place": node["place"],
                    "bast": f"BAST-{box}-{leg.number}",
                    "occurred_at": leg.when.isoformat(),
                }
            )
    await field.send(f"{name}: strays forwarded", "custody", commands, actor)


async def leave_early(field: Field, leg: Leg, when: datetime, name: str) -> None:
    """Departures before the release window, each to be refused."""
    early = departures(stations_of(field, "early-release", leg.number), leg, when)
    giver = custodian(_parties(leg)[0])
    await field.send(name, "custody", early, giver, refused="early-release")


def stations_of(field: Field, kind: str, leg: int) -> list[Station]:
    """The stations concerned by a mishap of `kind`, one about a station, on `leg`."""
    mishaps = (mishap for mishap in field.plan.of(kind) if mishap.leg == leg)
    return [field.world.stations[mishap.subject] for mishap in mishaps]


def departures(stations: Sequence[Station], leg: Leg, when: datetime) -> list[Command]:
    return [
        {
            "name": "depart-consignment",
            "consignment": consignment(station, leg),
            "occurred_at": when.isoformat(),
        }
        for station in stations
    ]


def plan_command(field: Field, station: Station, leg: Leg, units: list[str]) -> Command:
    outbound = leg.outbound
    opens = calendar.RELEASE_FROM if outbound else calendar.RETURN_FROM
    closes = calendar.RELEASE_UNTIL if outbound else calendar.RETURN_UNTIL
    return {
        "name": "plan-consignment",
        "consignment": consignment(station, leg),
        "tps": station.tps,
        "direction": "outbound" if outbound else "return",
        "region": station.kelurahan,
        "route": _route(field, station, leg),
        "units": units,
        "release_from": opens.isoformat(),
        "release_until": closes.isoformat(),
        "manifest": manifest(len(units), sum(station.ballots.values())),
    }


def manifest(koli: int, sheets: int) -> Command:
    return {
        "vehicle": "Truk boks",
        "plate": "B 9001 KPU",
        "driver": "person-driver-2",
        "koli": koli,
        "sheets": sheets,
        "weight_kg": koli * 12,
        "escorts": ["person-polri-3", "person-polri-4"],
    }
