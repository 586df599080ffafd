"""Units seen where they should not be, lost and found, and how they come back."""

from typing import Any

import pytest
from custody_facts import (
    BOXES,
    CITY,
    OTHER_TPS,
    OUT,
    ROUTE,
    SEALS,
    TPS,
    VILLAGE,
    acting,
    after,
    in_store,
    kinds,
    on_the_road,
    regions_needed,
)

from services.custody.domain.errors import (
    Changed,
    NotAStray,
    NotOnRoute,
    NotTheCustodian,
    NotYourOffice,
    UnknownUnit,
)
from services.custody.domain.facts import Facts
from services.custody.domain.strays import RecoverUnit, ReportFound, ScanUnit
from shared.contracts.custody import (
    IncidentRaised,
    UnitFound,
    UnitMissing,
    UnitOrphaned,
    UnitRecovered,
    UnitScanned,
    UnitUnloaded,
)
from shared.eventstore.command import Context

BOX = BOXES[0]
OTHER = f"KPPS-{OTHER_TPS}"
KPU, PPS, KPPS = acting("KPU"), acting("PPS"), acting("KPPS")
STRAYED = UnitOrphaned(
    region=VILLAGE,
    unit=BOX,
    custodian="KPU-31.71",
    was="loaded",
    place=OTHER_TPS,
    office=OTHER,
)
LOST = UnitMissing(
    region=CITY,
    unit=BOX,
    custodian="KPU-31.71",
    was="loaded",
    consignment=OUT,
    leg=1,
    place=ROUTE[1].place,
)


def scan(place: str, office: str) -> ScanUnit:
    return ScanUnit(unit=BOX, place=place, office=office)


def scanned(place: str, office: str, region: str = CITY) -> UnitScanned:
    return UnitScanned(region=region, unit=BOX, place=place, office=office)


SEAL = SEALS[BOX]


def recover(receiver: str, place: str, giver: str = OTHER, **found: Any) -> RecoverUnit:
    names = {"unit": BOX, "giver": giver, "receiver": receiver, "place": place}
    return RecoverUnit(**({"seal": SEAL, "bast": "BAST-1"} | names | found))


def recovered(receiver: str, place: str) -> UnitRecovered:
    return UnitRecovered(
        region=VILLAGE,
        unit=BOX,
        giver=OTHER,
        receiver=receiver,
        place=place,
        seal=SEAL,
        condition="good",
        bast="BAST-1",
    )


# Seen


@pytest.mark.parametrize("stop", ROUTE)
def test_a_unit_may_be_seen_anywhere_on_its_route(stop) -> None:
    context = acting(stop.office.split("-")[0])
    after(*on_the_road()).when(scan(stop.place, stop.office), context).then(
        scanned(stop.place, stop.office, stop.region)
    )


def test_a_unit_in_store_may_be_seen_there() -> None:
    command = scan(ROUTE[0].place, ROUTE[0].office)
    after(*in_store()).when(command, KPU).then(scanned(ROUTE[0].place, ROUTE[0].office))


def test_a_unit_at_a_registered_place_off_its_route_is_orphaned() -> None:
    outcome = after(*on_the_road()).when(scan(OTHER_TPS, OTHER), KPPS)
    orphaned, incident = outcome.events
    assert orphaned == STRAYED
    assert (incident.incident_kind, incident.unit) == ("wrong-destination", BOX)
    assert (incident.units, incident.consignment, incident.leg) == ((BOX,), OUT, 1)


def test_a_unit_in_store_is_orphaned_anywhere_else() -> None:
    outcome = after(*in_store()).when(scan(OTHER_TPS, OTHER), KPPS)
    assert kinds(outcome) == [("wrong-destination", BOX)]


def test_a_unit_at_a_place_that_is_not_registered_is_an_incident_and_stays_with_its_custodian() -> (
    None
):
    outcome = after(*on_the_road()).when(scan("BALAI-X", ROUTE[0].office), KPU)
    seen, incident = outcome.events
    assert seen == scanned("BALAI-X", ROUTE[0].office)
    assert (incident.incident_kind, incident.units) == ("unregistered-place", (BOX,))
    unit = after(*on_the_road(), *outcome.events).state(f"unit-{BOX}")
    assert (unit.custodian, unit.standing) == (ROUTE[0].office, "loaded")


@pytest.mark.parametrize(
    ("place", "office", "agency"), [("BALAI-X", "KPU-31.71", "KPU"), (OTHER_TPS, OTHER, "KPPS")]
)
def test_the_same_stray_is_one_incident(place: str, office: str, agency: str) -> None:
    context = acting(agency)
    first = after(*on_the_road()).when(scan(place, office), context)
    again = after(*on_the_road(), *first.events).when(scan(place, office), context)
    assert not [event for event in again.events if isinstance(event, IncidentRaised)]


def test_a_person_scans_for_an_own_office_only() -> None:
    after(*on_the_road()).when(scan(TPS, f"KPPS-{TPS}"), KPU).then(NotYourOffice)
    assert regions_needed(after(), scan(TPS, f"KPPS-{TPS}")) == [VILLAGE]


def test_the_supervisor_scans_for_its_own_office() -> None:
    bawaslu = acting("BAWASLU")
    after(*on_the_road()).when(scan(ROUTE[1].place, "BAWASLU-31.71"), bawaslu).then(
        scanned(ROUTE[1].place, "BAWASLU-31.71")
    )


def test_an_unknown_unit_cannot_be_scanned() -> None:
    after().when(scan(TPS, f"KPPS-{TPS}"), KPPS).then(UnknownUnit)


def test_a_unit_loaded_while_the_facts_were_gathered_is_decided_again() -> None:
    stale = Context(
        KPPS.now, "p", "KPPS", KPPS.roles, KPPS.jurisdiction, Facts({OTHER_TPS: VILLAGE})
    )
    after(*on_the_road()).when(scan(OTHER_TPS, OTHER), stale).then(Changed)


# Recovered


def test_a_stray_is_handed_to_an_office_of_its_route_and_goes_on() -> None:
    past = [*on_the_road(1), STRAYED]
    stop = ROUTE[2]
    outcome = after(*past).when(recover(stop.office, stop.place), PPS)
    outcome.then(recovered(stop.office, stop.place))
    unit = after(*past, *outcome.events).state(f"unit-{BOX}")
    assert (unit.standing, unit.custodian, unit.consignment) == ("in-transit", stop.office, OUT)


def test_a_stray_that_reaches_its_destination_is_off_its_consignment() -> None:
    past = [*on_the_road(2), STRAYED]
    last = ROUTE[-1]
    outcome = after(*past).when(recover(last.office, last.place), KPPS)
    outcome.then(
        recovered(last.office, last.place),
        UnitUnloaded(
            region=VILLAGE,
            unit=BOX,
            consignment=OUT,
            reason="It reached its destination after it had strayed",
        ),
    )
    unit = after(*past, *outcome.events).state(f"unit-{BOX}")
    assert (unit.standing, unit.custodian, unit.consignment) == ("delivered", last.office, None)


def test_a_stray_is_not_handed_to_an_office_off_its_route() -> None:
    other = "PPS-31.71.01.1002"
    after(*on_the_road(1), STRAYED).when(recover(other, other), PPS).then(NotOnRoute)


def test_only_the_office_that_holds_a_stray_hands_it_over() -> None:
    command = recover(ROUTE[2].office, ROUTE[2].place, giver="KPPS-31.71.01.1001-009")
    after(*on_the_road(1), STRAYED).when(command, PPS).then(NotTheCustodian)


def test_what_has_not_strayed_is_not_recovered() -> None:
    after(*on_the_road(1)).when(recover(ROUTE[2].office, "P"), PPS).then(NotAStray)


def test_a_recovery_is_confirmed_by_one_of_its_parties() -> None:
    after(*on_the_road(1), STRAYED).when(recover(ROUTE[2].office, "P"), KPU).then(NotYourOffice)


# Lost and found


def test_a_missing_unit_is_found() -> None:
    command = ReportFound(unit=BOX, place=ROUTE[1].place, office=ROUTE[1].office)
    found = UnitFound(region="31.71.01", unit=BOX, place=ROUTE[1].place, office=ROUTE[1].office)
    after(*on_the_road(), LOST).when(command, acting("PPK")).then(found)


def test_what_is_not_missing_is_not_found() -> None:
    command = ReportFound(unit=BOX, place=ROUTE[1].place, office=ROUTE[1].office)
    after(*on_the_road()).when(command, acting("PPK")).then(NotAStray)


def test_a_found_unit_is_handed_to_the_office_that_should_have_it() -> None:
    found = UnitFound(region=VILLAGE, unit=BOX, place=OTHER_TPS, office=OTHER)
    last = ROUTE[-1]
    after(*on_the_road(3), LOST, found).when(recover(last.office, last.place), KPPS).then(
        recovered(last.office, last.place)
    )


def test_a_stray_that_comes_back_without_its_seal_and_damaged_is_told_once() -> None:
    last = ROUTE[-1]
    back = recover(last.office, last.place, seal=None, condition="damaged")
    outcome = after(*on_the_road(3), STRAYED).when(back, KPPS)
    assert kinds(outcome) == [("seal-missing", BOX), ("damaged", BOX)]
