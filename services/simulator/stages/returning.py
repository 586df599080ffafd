"""Voting day, and the way back: KPPS -> PPS -> PPK -> KPU."""

from services.simulator import calendar
from services.simulator.client import custodian
from services.simulator.field import Command, Field
from services.simulator.stages import distribution, handing
from services.simulator.stages.handing import Boxes, Leg
from services.simulator.world import RETURN_ROLLS, Station

FIRST = Leg(4, calendar.BACK_TO_PPS)


async def vote_and_seal(field: Field) -> None:
    """After the count the crews close the boxes with new seals, and the way back is planned."""
    await field.clock(calendar.POLLS_CLOSED)
    stations = list(field.world.stations.values())
    seals = [_reseal(field, station) for station in stations]
    await field.send("boxes sealed after the count", "custody", seals, custodian("KPPS"))
    plans = [_plan(field, station) for station in stations]
    await field.send("returns planned", "custody", plans, batch=100)
    recap = [distribution.recap_plan(field, code, outbound=False) for code in field.world.kecamatan]
    await field.send("return of recapitulation boxes planned", "custody", recap)
    await field.clock(calendar.BEFORE_RETURN)
    before = calendar.BEFORE_RETURN
    await handing.leave_early(field, FIRST, before, "returns that leave too early")


async def bring_back(field: Field) -> None:
    stations = list(field.world.stations.values())
    await field.clock(calendar.BACK_TO_PPS)
    departures = handing.departures(stations, FIRST, calendar.BACK_TO_PPS)
    await field.send("returns departed", "custody", departures, custodian("KPPS"))
    await handing.hand_over(field, FIRST, stations, "KPPS -> PPS")
    for number, name in ((5, "PPS -> PPK"), (6, "PPK -> KPU")):
        when = calendar.RETURN[number]
        await field.clock(when)
        await handing.hand_over(field, Leg(number, when), stations, name)
    await _bring_back_recap(field)
    await field.clock(calendar.END)


async def _bring_back_recap(field: Field) -> None:
    when = calendar.BACK_TO_KPU
    departures = [distribution.recap_departure(c, "RET", when) for c in field.world.kecamatan]
    await field.send("recapitulation boxes leave", "custody", departures, custodian("PPK"))
    await distribution.hand_over_recap(field, "RET", "PPK", "KPU", when)


def _reseal(field: Field, station: Station) -> Command:
    seals = dict(zip(station.boxes, station.seals(RETURN_ROLLS), strict=True))
    return {
        "name": "reseal-units",
        "place": station.tps,
        "seals": [{"unit": box, "seal": seals[box]} for box in Boxes(field, station).present(3)],
        "occurred_at": calendar.POLLS_CLOSED.isoformat(),
    }


def _plan(field: Field, station: Station) -> Command:
    return handing.plan_command(field, station, FIRST, Boxes(field, station).present(3))
