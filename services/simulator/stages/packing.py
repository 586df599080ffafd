"""Setting: each station's kit is checked, boxed and sealed; custody registers the boxes."""

from collections import Counter
from typing import Any

from services.simulator import calendar
from services.simulator.field import Command, Field
from services.simulator.stages.delivery import BALLOT
from services.simulator.world import OUTBOUND_ROLLS, RETURN_ROLLS, Station, roll_base, seal

MISSING_ITEM = "alat-bantu-tunanetra"


async def pack(field: Field) -> None:
    await field.clock(calendar.PACKING)
    await field.send("seal numbers logged", "custody", list(_rolls(field)))
    await field.send(
        "materials drawn",
        "inventory",
        [_draw(field, code, stations) for code, stations in field.world.kelurahan.items()],
        batch=5,
    )
    await _hazards(field)
    await _attempts(field, "swapped-ballots", "wrong-ballots", _swapped)
    await _attempts(field, "kit-incomplete", "kit-incomplete", _incomplete)
    kits = [_kit(field, station) for station in field.world.stations.values()]
    await field.send("kits packed and sealed", "inventory", kits)
    recap = [_recap(field, code) for code in field.world.kecamatan]
    await field.send("recapitulation boxes packed", "inventory", recap)
    await field.caught_up("custody", "inventory")


def _rolls(field: Field) -> list[Command]:
    commands = []
    for code, stations in field.world.kelurahan.items():
        count = len(stations) * 4
        for rolls in (OUTBOUND_ROLLS, RETURN_ROLLS):
            for first in range(0, count, 1000):
                commands.append(_roll(code, rolls[first // 1000], min(count - first, 1000)))
    commands += [_roll(code, "A", 2) for code in field.world.kecamatan]
    return commands


def _roll(region: str, letter: str, count: int) -> Command:
    return {
        "name": "log-seal-roll",
        "roll": f"{roll_base(region)}{letter}",
        "first": 0,
        "last": count - 1,
        "region": region,
    }


def _draw(field: Field, code: str, stations: list[Station]) -> Command:
    needs: Counter[tuple[str, str]] = Counter()
    for station in stations:
        for kind, count in station.ballots.items():
            needs[BALLOT, f"{kind}.{station.dapil[kind]}"] += count
        for item, count in station.items.items():
            needs[item, ""] += count
    lines = [
        {"item": item, "variant": variant, "quantity": count}
        for (item, variant), count in needs.items()
        if count
    ]
    return {
        "name": "draw-picking",
        "region": code,
        "site": field.world.place(f"GUDANG-{code[:5]}"),
        "stations": [station.tps for station in stations],
        "lines": lines,
    }


def _kit(field: Field, station: Station) -> Command:
    boxes = [
        {"unit": unit, "contents": kind, "seal": number}
        for unit, kind, number in zip(
            station.boxes, station.ballots, station.seals(OUTBOUND_ROLLS), strict=True
        )
    ]
    ballots = [
        {"kind": kind, "dapil": station.dapil[kind], "count": count}
        for kind, count in station.ballots.items()
    ]
    return {
        "name": "pack-kit",
        "tps": station.tps,
        "site": field.world.place(f"GUDANG-{station.city}"),
        "boxes": boxes,
        "ballots": ballots,
        "items": dict(station.items),
    }


def _recap(field: Field, code: str) -> Command:
    units = field.world.recap_boxes(code)
    boxes = [
        {"unit": unit, "contents": "REKAP", "seal": seal(roll_base(code), "A", i)}
        for i, unit in enumerate(units)
    ]
    site = field.world.place(f"GUDANG-{code[:5]}")
    return {"name": "pack-recap", "region": code, "site": site, "boxes": boxes}


async def _hazards(field: Field) -> None:
    commands = [
        {
            "name": "report-hazard",
            "tps": mishap.subject,
            "hazard": "flood",
            "note": "Lokasi tergenang setelah hujan",
        }
        for mishap in field.plan.of("hazard")
    ]
    await field.send("hazards reported", "inventory", commands)


async def _attempts(field: Field, kind: str, code: str, spoil: Any) -> None:
    """First attempts that must be refused; the right kit follows with all the others."""
    stations = [field.world.stations[mishap.subject] for mishap in field.plan.of(kind)]
    kits = [spoil(_kit(field, station)) for station in stations]
    await field.send(f"packing attempts ({kind})", "inventory", kits, refused=code)


def _swapped(kit: Command) -> Command:
    kit["ballots"] = [
        row | {"dapil": "JAWA-BARAT-1"} if row["kind"] == "DPR" else row for row in kit["ballots"]
    ]
    return kit


def _incomplete(kit: Command) -> Command:
    items = dict(kit["items"])
    items[MISSING_ITEM] = 0
    return kit | {"items": items}
