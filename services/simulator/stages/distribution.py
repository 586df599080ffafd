"""Outbound: KPU -> PPK -> PPS -> KPPS, everything in the crews' hands by H-1, 21:00."""

from datetime import datetime

from services.simulator import calendar
from services.simulator.client import custodian
from services.simulator.field import Command, Field
from services.simulator.stages import delivery, handing
from services.simulator.stages.handing import Leg

FIRST = Leg(1, calendar.TO_PPK)
SOAKED = 5


async def plan(field: Field) -> None:
    stations = field.world.stations.values()
    commands = [handing.plan_command(field, s, FIRST, list(s.boxes)) for s in stations]
    await field.send("consignments planned", "custody", commands, batch=100)
    recap = [recap_plan(field, code, outbound=True) for code in field.world.kecamatan]
    await field.send("recapitulation boxes consigned", "custody", recap)
    await field.clock(calendar.BEFORE_RELEASE)
    before = calendar.BEFORE_RELEASE
    await handing.leave_early(field, FIRST, before, "lorries that leave too early")


async def to_district(field: Field) -> None:
    await field.clock(calendar.TO_PPK)
    stations = list(field.world.stations.values())
    await field.send(
        "departed",
        "custody",
        handing.departures(stations, FIRST, calendar.TO_PPK)
        + [recap_departure(code, "OUT", calendar.TO_PPK) for code in field.world.kecamatan],
        custodian("KPU"),
    )
    await handing.hand_over(field, FIRST, stations, "KPU -> PPK")
    await hand_over_recap(field, "OUT", "KPU", "PPK", calendar.TO_PPK)


async def to_village(field: Field) -> None:
    await field.clock(calendar.TO_PPS)
    leg = Leg(2, calendar.TO_PPS)
    await handing.hand_over(field, leg, list(field.world.stations.values()), "PPK -> PPS")


async def to_crews(field: Field) -> None:
    """Destruction of what is left over, then the last leg; some stations are late."""
    await field.clock(calendar.DESTRUCTION)
    await destroy_surplus(field)
    await field.clock(calendar.TO_KPPS)
    late = handing.stations_of(field, "late", 3)
    in_time = [s for s in field.world.stations.values() if s not in late]
    await handing.hand_over(field, Leg(3, calendar.TO_KPPS), in_time, "PPS -> KPPS")
    await field.caught_up("custody", "custody")
    await field.clock(calendar.AFTER_DEADLINE)
    await field.clock(calendar.LATE_TO_KPPS)
    await handing.hand_over(field, Leg(3, calendar.LATE_TO_KPPS), late, "late to KPPS")


async def destroy_surplus(field: Field) -> None:
    """Surplus ballots are destroyed on H-1 before witnesses, a numbered record for each ledger."""
    ledgers = [
        {
            "site": field.world.place(f"GUDANG-{city}"),
            "item": delivery.BALLOT,
            "variant": variant,
        }
        for city in field.world.cities
        for variant in delivery.variants(field, city)
    ]
    soaked = {"name": "report-damage", "quantity": SOAKED, "note": "Basah karena hujan"}
    await field.send("ballots soaked", "inventory", [soaked | ledger for ledger in ledgers])
    commands = [_destruction(number, row) for number, row in enumerate(ledgers, start=1)]
    await field.send("surplus destroyed", "inventory", commands)


def _destruction(number: int, ledger: Command) -> Command:
    city = ledger["site"].split("-")[1]
    return ledger | {
        "name": "destroy-stock",
        "good": delivery.SURPLUS - SOAKED,
        "damaged": SOAKED,
        "record_number": f"{number}/PR.05-BA/{city.replace('.', '')}/2024",
        "witnesses": ["BAWASLU-DKI", "POLDA-METRO-JAYA", "KODAM-JAYA", "KEJATI-DKI"],
    }


def recap_plan(field: Field, code: str, outbound: bool) -> Command:
    route = [field.world.warehouse(code[:5]), field.world.district(code)]
    opens = calendar.RELEASE_FROM if outbound else calendar.RETURN_FROM
    closes = calendar.RELEASE_UNTIL if outbound else calendar.RETURN_UNTIL
    return {
        "name": "plan-consignment",
        "consignment": f"{'OUT' if outbound else 'RET'}-REKAP-{code}",
        "direction": "outbound" if outbound else "return",
        "region": code,
        "route": route if outbound else route[::-1],
        "units": list(field.world.recap_boxes(code)),
        "release_from": opens.isoformat(),
        "release_until": closes.isoformat(),
        "manifest": handing.manifest(2, 0),
    }


def recap_departure(code: str, way: str, when: datetime) -> Command:
    return {
        "name": "depart-consignment",
        "consignment": f"{way}-REKAP-{code}",
        "occurred_at": when.isoformat(),
    }


async def hand_over_recap(
    field: Field, way: str, giver: str, receiver: str, when: datetime
) -> None:
    def command(name: str, code: str) -> Command:
        units = field.world.recap_boxes(code)
        fields: Command = {
            "name": name,
            "consignment": f"{way}-REKAP-{code}",
            "leg": 1,
            "units": [
                {"unit": unit, "seal": f"{code.replace('.', '')}A{i:03d}"}
                for i, unit in enumerate(units)
            ],
            "occurred_at": when.isoformat(),
        }
        if name == "receive-hand-over":
            fields |= {"missing": [], "attended_by": ["BAWASLU"]}
        return fields

    for name, agency in (("give-hand-over", giver), ("receive-hand-over", receiver)):
        commands = [command(name, code) for code in field.world.kecamatan]
        await field.send(f"recapitulation {way}: {name}", "custody", commands, custodian(agency))
