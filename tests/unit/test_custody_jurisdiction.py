"""A person of one city writes nothing of another's, whatever region the command itself names."""

import dataclasses
from typing import Any

import pytest
from custody_facts import BOXES, DECIDER, ROLL, ROUTE, SEALS, TPS, acting, plan

from services.custody.domain.errors import NotYourOffice, SameOffice, SealOfAnotherRegion
from services.custody.domain.facts import Facts
from services.custody.domain.registering import RegisterUnits
from services.custody.domain.strays import RecoverUnit, ScanUnit
from shared.contracts.base import Event
from shared.contracts.custody import SealRollLogged, UnitRegistered
from shared.eventstore.command import Command, Context
from shared.testing.scenario import given

ELSEWHERE = "31.01"
HERE = acting("KPU", "31.71")


def outside(command: Command, context: Context, *facts: Event) -> set[str]:
    """The regions of the command that the person does not cover."""
    states = {name: DECIDER.initial(name) for name in command.streams()}
    for fact in facts:
        states[fact.stream] = DECIDER.evolve(states[fact.stream], fact)
    return {each for each in DECIDER.regions(command, states) if not context.covers(each)}


def registering(**fields: Any) -> RegisterUnits:
    unit = {"unit": BOXES[0], "unit_kind": "box", "contents": "PPWP", "home": "31.71.01.1001"}
    values = {"place": "GUDANG-31.71", "custodian": "KPU-31.71", "region": "31.71"}
    return RegisterUnits(**{**values, "units": ({**unit, **fields.pop("unit", {})},), **fields})


def test_units_are_registered_at_home_and_in_the_hands_of_ones_own_region() -> None:
    assert outside(registering(), HERE) == set()
    assert outside(registering(unit={"home": "31.01.02.1001"}), HERE) == {"31.01.02.1001"}
    assert outside(registering(custodian="KPU-31.01"), HERE) == {ELSEWHERE}


def test_the_units_of_another_regions_office_are_not_planned_for() -> None:
    assert outside(plan(), HERE) == set()
    origin = {"place": "GUDANG-31.01", "office": "KPU-31.01", "region": ELSEWHERE}
    route = (origin, ROUTE[1]._asdict())
    assert outside(plan(route=route), HERE) == {ELSEWHERE}
    assert outside(plan(tps="31.01.02.1001-001"), HERE) == {"31.01.02.1001"}


@pytest.mark.parametrize("region", ["31.01", "31.71.02"])
def test_a_seal_of_another_regions_roll_is_refused(region: str) -> None:
    logged = SealRollLogged(region=region, roll=ROLL, first=0, last=9)
    sealed = registering(unit={"seal": SEALS[BOXES[0]]})
    given(logged, by=DECIDER).when(sealed, HERE).then(SealOfAnotherRegion)


def test_a_route_on_which_an_office_hands_over_to_itself_is_refused() -> None:
    route = tuple(stop._asdict() for stop in (ROUTE[0], ROUTE[0], ROUTE[1]))
    given(by=DECIDER).when(plan(route=route), HERE).then(SameOffice)


def test_a_stray_is_not_recovered_by_the_office_that_has_it() -> None:
    registered = UnitRegistered(
        region="31.71",
        unit=BOXES[0],
        unit_kind="box",
        contents="PPWP",
        home="31.71.01.1001",
        place="GUDANG-31.71",
        custodian="KPU-31.71",
    )
    office = f"KPPS-{TPS}"
    back = RecoverUnit(
        unit=BOXES[0], giver=office, receiver=office, place=TPS, seal=None, bast="BA-1"
    )
    given(registered, by=DECIDER).when(back, acting("KPPS")).then(SameOffice)


def test_a_unit_is_called_astray_only_by_an_office_of_the_place_where_it_is_seen() -> None:
    seen = {"unit": BOXES[0], "place": "PERCETAKAN-31"}
    context = acting("KPU", "31.71", places=())
    facts = Facts({"PERCETAKAN-31": "31"}, context.facts.routes)
    context = dataclasses.replace(context, facts=facts)
    registered = UnitRegistered(
        region="31.01",
        unit=BOXES[0],
        unit_kind="box",
        contents="PPWP",
        home="31.01.02.1001",
        place="GUDANG-31.01",
        custodian="KPU-31.01",
    )
    scan = ScanUnit(**seen, office="KPU-31.71")
    given(registered, by=DECIDER).when(scan, context).then(NotYourOffice)
