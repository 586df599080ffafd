"""From the printer's gate into the city's stock, and sort and fold."""

from collections import Counter
from collections.abc import Iterable

from services.simulator import calendar
from services.simulator.client import custodian
from services.simulator.field import Command, Field
from services.simulator.world import BALLOT_KINDS

BALLOT = "surat-suara"
RECAP_BOX = "kotak-rekapitulasi"
REVOTE = 1000
VARIANCE = 10
SURPLUS = 20
"""Ballots of each kind and dapil that a city has over what it needs."""


async def print_and_deliver(field: Field) -> None:
    await field.clock(calendar.DELIVERY)
    await field.caught_up("custody", "inventory")
    codes = list(field.world.kelurahan)
    await field.send("koli registered", "custody", [_register(field, code) for code in codes])
    await field.send("koli consigned", "custody", [_consign(field, code) for code in codes])
    printer = custodian("PRINTER")
    await field.send(
        "koli departed",
        "custody",
        [
            {
                "name": "depart-consignment",
                "consignment": shipment(code),
                "occurred_at": calendar.DELIVERY.isoformat(),
            }
            for code in codes
        ],
        printer,
    )
    await field.clock(calendar.DELIVERY_RECEIVED)
    await field.send(
        "koli given", "custody", [_hand(field, c, "give-hand-over") for c in codes], printer
    )
    await field.send(
        "koli received",
        "custody",
        [_hand(field, code, "receive-hand-over") for code in codes],
        custodian("KPU"),
    )
    await _into_stock(field)


async def sort_and_fold(field: Field) -> None:
    await field.clock(calendar.SORTING)
    commands = [_sort(field, unit) for unit in field.world.koli]
    await field.send("ballots sorted and folded", "inventory", commands)
    short = [mishap.subject for mishap in field.plan.of("sorting-variance")]
    await _replace(field, "sorting", short)


def shipment(kelurahan: str) -> str:
    return f"KIRIM-{kelurahan}"


def _koli(kelurahan: str) -> list[str]:
    return [f"KOLI-{kelurahan}-{kind.replace('_', '-')}" for kind in BALLOT_KINDS]


def _register(field: Field, code: str) -> Command:
    units = [
        {"unit": unit, "unit_kind": "koli", "contents": BALLOT, "home": code}
        for unit in _koli(code)
    ]
    return {
        "name": "register-units",
        "units": units,
        "place": "PERCETAKAN-31",
        "custodian": "PRINTER-31",
        "region": "31",
    }


def _consign(field: Field, code: str) -> Command:
    origin = {"place": "PERCETAKAN-31", "office": "PRINTER-31", "region": "31"}
    sheets = sum(sum(station.ballots.values()) for station in field.world.kelurahan[code])
    return {
        "name": "plan-consignment",
        "consignment": shipment(code),
        "direction": "delivery",
        "region": code,
        "route": [origin, field.world.warehouse(code[:5])],
        "units": _koli(code),
        "release_from": calendar.PREPARATION.isoformat(),
        "release_until": calendar.SORTING.isoformat(),
        "manifest": {
            "vehicle": "Truk kontainer 20 kaki",
            "plate": "B 9000 KPU",
            "driver": "person-driver-1",
            "koli": len(BALLOT_KINDS),
            "sheets": sheets,
            "weight_kg": sheets * 19 // 1000,
            "container": "20ft",
            "escorts": ["person-polri-1", "person-polri-2"],
            "observers": ["person-kpu-1", "person-bawaslu-1"],
        },
    }


def _hand(field: Field, code: str, name: str) -> Command:
    command: Command = {
        "name": name,
        "consignment": shipment(code),
        "leg": 1,
        "units": [{"unit": unit} for unit in _koli(code)],
        "occurred_at": calendar.DELIVERY_RECEIVED.isoformat(),
    }
    if name == "receive-hand-over":
        command |= {"missing": [], "attended_by": ["BAWASLU"]}
    return command


def _quantity(field: Field, unit: str) -> dict[str, int]:
    """Ballots of a koli by variant (`<kind>.<dapil>`)."""
    code, kind = field.world.koli[unit]
    counts: Counter[str] = Counter()
    for station in field.world.kelurahan[code]:
        counts[f"{kind}.{station.dapil[kind]}"] += station.ballots[kind]
    return counts


async def _into_stock(field: Field) -> None:
    deliveries = [_delivery(field, code) for code in field.world.kelurahan]
    await field.send("deliveries counted", "inventory", deliveries, batch=20)
    await field.send("surplus counted", "inventory", list(_surplus(field)), batch=20)
    await field.send("materials counted", "inventory", list(_materials(field)), batch=20)
    await field.send("re-vote stock", "inventory", list(_revote(field)), batch=20)
    short = [mishap.subject for mishap in field.plan.of("delivery-variance")]
    await _replace(field, "delivery", short)


def _delivery(field: Field, code: str) -> Command:
    lines = []
    for unit in _koli(code):
        for variant, sent in _quantity(field, unit).items():
            short = VARIANCE if field.plan.at("delivery-variance", unit) else 0
            lines.append(_line(BALLOT, variant, sent, short) | {"unit": unit})
    return _receipt(field.world.place(f"GUDANG-{code[:5]}"), f"SJ-{code}", "delivery", lines)


def _line(item: str, variant: str, sent: int, short: int = 0) -> Command:
    return {
        "item": item,
        "variant": variant,
        "sent": sent,
        "good": sent - short,
        "damaged": 0,
        "short": short,
    }


def _receipt(site: str, document: str, reason: str, lines: list[Command]) -> Command:
    return {
        "name": "receive-delivery",
        "site": site,
        "document": document,
        "reason": reason,
        "lines": lines,
    }


def variants(field: Field, city: str) -> list[str]:
    """Ballot variants (`<kind>.<dapil>`) that the stations of a city need."""
    stations = (s for s in field.world.stations.values() if s.city == city)
    return sorted({f"{kind}.{dapil}" for s in stations for kind, dapil in s.dapil.items()})


def _surplus(field: Field) -> Iterable[Command]:
    for city in field.world.cities:
        lines = [_line(BALLOT, variant, SURPLUS) for variant in variants(field, city)]
        yield _receipt(field.world.place(f"GUDANG-{city}"), f"SJ-LEBIH-{city}", "delivery", lines)


def _materials(field: Field) -> Iterable[Command]:
    """Everything that is not a ballot, for all stations of a city."""
    for city in field.world.cities:
        needs: Counter[str] = Counter()
        for station in field.world.stations.values():
            if station.city == city:
                needs.update(station.items)
        districts = [code for code in field.world.kecamatan if code.startswith(city)]
        needs[RECAP_BOX] = len(districts) * len(field.world.recap_boxes(city))
        lines = [_line(item, "", count) for item, count in needs.items() if count]
        yield _receipt(field.world.place(f"GUDANG-{city}"), f"SJ-MAT-{city}", "delivery", lines)


def _revote(field: Field) -> Iterable[Command]:
    """1,000 marked ballots for each dapil and kind (Art. 344), at one warehouse of the dapil."""
    home: dict[str, str] = {}
    for station in field.world.stations.values():
        for kind, dapil in station.dapil.items():
            home.setdefault(f"{kind}.{dapil}", station.city)
    for variant, city in home.items():
        site = field.world.place(f"GUDANG-{city}")
        lines = [_line(f"{BALLOT}-psu", variant, REVOTE)]
        yield _receipt(site, f"SJ-PSU-{variant}", "revote-stock", lines)


def _sort(field: Field, unit: str) -> Command:
    code, _ = field.world.koli[unit]
    variant, quantity = max(_quantity(field, unit).items(), key=lambda entry: entry[1])
    return {
        "name": "sort-stock",
        "site": field.world.place(f"GUDANG-{code[:5]}"),
        "item": BALLOT,
        "variant": variant,
        "unit": unit,
        "sorted": quantity,
        "damaged": 0,
        "short": VARIANCE if field.plan.at("sorting-variance", unit) else 0,
    }


async def _replace(field: Field, cause: str, units: list[str]) -> None:
    """The printer sends what was short, with a delivery note of its own."""
    commands = []
    for unit in units:
        code, _ = field.world.koli[unit]
        variant = max(_quantity(field, unit).items(), key=lambda entry: entry[1])[0]
        lines = [_line(BALLOT, variant, VARIANCE)]
        site = field.world.place(f"GUDANG-{code[:5]}")
        commands.append(_receipt(site, f"SJ-GANTI-{cause}-{unit}", "replacement", lines))
    await field.send(f"replacements after {cause}", "inventory", commands)
