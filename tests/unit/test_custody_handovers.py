"""A hand-over: two parties confirm, only the custodian gives, and what is wrong is found once."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from custody_facts import (
    BOXES,
    CITY,
    DISTRICT,
    OUT,
    REGIONS,
    ROUTE,
    TPS,
    VILLAGE,
    acting,
    after,
    at_gate,
    give,
    handed,
    kinds,
    loaded,
    on_the_road,
    passed,
    planned,
    receive,
    received,
    regions_needed,
    sealed,
    state,
)

from services.custody.domain.errors import (
    AlreadyGiven,
    LegNotDue,
    NotGiven,
    NotOnConsignment,
    NotTheCustodian,
    NotYourOffice,
    Repeated,
    SamePerson,
    UnitNotFit,
    UnitsUnaccounted,
    UnknownConsignment,
    WrongState,
)
from services.custody.domain.handovers import AccountAbsentUnits, GiveHandOver
from shared.contracts.custody import (
    IncidentRaised,
    UnitMissing,
    UnitOrphaned,
    UnitRecovered,
    UnitsAbsent,
)

KPU, PPK, PPS, KPPS = (acting(agency) for agency in ("KPU", "PPK", "PPS", "KPPS"))
STRAYED = UnitOrphaned(
    region=VILLAGE,
    unit=BOXES[0],
    custodian="KPU-31.71",
    was="loaded",
    place="31.71.01.1001-002",
    office="KPPS-31.71.01.1001-002",
)
LOADED = {"custodian": "KPU-31.71", "was": "loaded"}


def read(**readings) -> tuple[dict, ...]:
    """All boxes as they should be, except the first."""
    return ({**state(BOXES[0]), **readings}, *(state(box) for box in BOXES[1:]))


# Giving


def test_the_custodian_confirms_what_it_gives() -> None:
    after(*on_the_road()).when(give(), KPU).then(handed(1))


def test_only_the_present_custodian_gives() -> None:
    after(*on_the_road()).when(give(), PPK).then(NotYourOffice)
    after(*on_the_road(1)).when(give(2), KPU).then(NotYourOffice)


def test_giving_needs_the_region_of_the_givers_office() -> None:
    assert regions_needed(after(*on_the_road()), give()) == [CITY]
    assert regions_needed(after(*on_the_road(1)), give(2)) == [DISTRICT]
    assert regions_needed(after(), give()) == []


def test_nothing_is_given_before_departure() -> None:
    after(planned()).when(give(), KPU).then(WrongState)
    after().when(give(), KPU).then(UnknownConsignment)


def test_a_leg_is_given_once() -> None:
    at_gate().when(give(), KPU).then(AlreadyGiven)


@pytest.mark.parametrize("leg", [1, 3])
def test_only_the_next_leg_is_given(leg: int) -> None:
    after(*on_the_road(1)).when(give(leg), PPK).then(LegNotDue)


def test_a_unit_of_another_consignment_is_not_given() -> None:
    command = GiveHandOver(consignment=OUT, leg=1, units=({"unit": "BOX-X"},))
    after(*on_the_road()).when(command, KPU).then(NotOnConsignment)


def test_a_unit_listed_twice_is_refused() -> None:
    after(*on_the_road()).when(give(units=(BOXES[0], BOXES[0])), KPU).then(Repeated)


def test_a_unit_that_is_elsewhere_is_not_given() -> None:
    after(*on_the_road(), STRAYED).when(give(), KPU).then(UnitNotFit)
    elsewhere = passed(BOXES[0], 1)
    after(*on_the_road(), elsewhere).when(give(), KPU).then(NotTheCustodian)


def test_a_giver_who_lacks_a_unit_says_so() -> None:
    after(*on_the_road()).when(give(units=BOXES[1:]), KPU).then(
        handed(1, units=3),
        UnitsAbsent(
            region=DISTRICT,
            consignment=OUT,
            tps=TPS,
            route_regions=REGIONS,
            leg=1,
            giver=ROUTE[0].office,
            units=(BOXES[0],),
        ),
    )


# Receiving


def test_custody_passes_when_the_receiver_confirms() -> None:
    at_gate().when(receive(), PPK).then(received(1), *(passed(box, 1) for box in BOXES))


def test_on_the_last_leg_the_units_leave_the_consignment() -> None:
    outcome = at_gate(3).when(receive(3), KPPS)
    outcome.then(received(3), *(passed(box, 3) for box in BOXES))
    unit = after(*on_the_road(3)).state(f"unit-{BOXES[0]}")
    assert (unit.standing, unit.custodian, unit.consignment) == ("delivered", f"KPPS-{TPS}", None)


def test_the_number_of_the_berita_acara_is_kept() -> None:
    outcome = at_gate().when(receive(bast="12/BAST/2024"), PPK)
    assert {event.bast for event in outcome.events} == {"12/BAST/2024"}


def test_only_the_next_office_receives() -> None:
    at_gate().when(receive(), PPS).then(NotYourOffice)
    at_gate().when(receive(), acting("PPK", "31.71.02")).then(NotYourOffice)
    assert regions_needed(at_gate(), receive()) == [DISTRICT]


def test_nothing_is_received_that_was_not_given() -> None:
    after(*on_the_road()).when(receive(), PPK).then(NotGiven)


def test_a_leg_is_received_once() -> None:
    after(*on_the_road(1)).when(receive(1), PPK).then(LegNotDue)
    after(*on_the_road(3)).when(receive(3), KPPS).then(WrongState)


def test_every_unit_is_received_or_missing() -> None:
    three = tuple(state(box) for box in BOXES[1:])
    outcome = at_gate().when(receive(units=three), PPK).then(UnitsUnaccounted)
    assert outcome.refusal.extra == {"units": [BOXES[0]]}


def test_a_strange_unit_is_not_received() -> None:
    units = (*(state(box) for box in BOXES), {"unit": "BOX-X"})
    at_gate().when(receive(units=units), PPK).then(NotOnConsignment)


def test_a_unit_is_not_received_and_missing_at_once() -> None:
    at_gate().when(receive(missing=(BOXES[0],)), PPK).then(Repeated)


# What is found


def test_a_seal_that_is_not_there_is_an_incident_that_breaks_the_chain() -> None:
    outcome = at_gate().when(receive(units=read(seal=None)), PPK)
    [incident] = [event for event in outcome.events if isinstance(event, IncidentRaised)]
    assert (incident.incident_kind, incident.units) == ("seal-missing", (BOXES[0],))
    assert incident.incident == f"seal-missing.{BOXES[0]}.{OUT}.1"
    assert (incident.region, incident.place) == (DISTRICT, ROUTE[1].place)


def test_another_seal_than_the_one_put_on_is_an_incident() -> None:
    outcome = at_gate().when(receive(units=read(seal="3171011001A000X")), PPK)
    assert kinds(outcome) == [("seal-different", BOXES[0])]


@pytest.mark.parametrize("reading", [None, "3171011001A000X"])
def test_the_same_reading_is_not_raised_again_on_later_legs(reading: str | None) -> None:
    past = on_the_road(1)[:-4]
    past += [passed(BOXES[0], 1, seal=reading), *(passed(box, 1) for box in BOXES[1:])]
    outcome = after(*past, handed(2)).when(receive(2, units=read(seal=reading)), PPS)
    assert kinds(outcome) == []


def test_after_a_new_seal_the_reading_counts_again() -> None:
    past = [*on_the_road(1), handed(2), sealed(BOXES[0], "3171011001A900")]
    assert kinds(after(*past).when(receive(2), PPS)) == [("seal-different", BOXES[0])]
    new = read(seal="3171011001A900")
    assert kinds(after(*past).when(receive(2, units=new), PPS)) == []


def test_damage_is_raised_once() -> None:
    broken = read(condition="damaged")
    assert kinds(at_gate().when(receive(units=broken), PPK)) == [("damaged", BOXES[0])]
    past = on_the_road(1)[:-4]
    past += [passed(BOXES[0], 1, condition="damaged"), *(passed(box, 1) for box in BOXES[1:])]
    assert kinds(after(*past, handed(2)).when(receive(2, units=broken), PPS)) == []


def test_a_missing_unit_is_a_variance_of_its_station() -> None:
    three = tuple(state(box) for box in BOXES[1:])
    outcome = at_gate().when(receive(units=three, missing=(BOXES[0],)), PPK)
    assert kinds(outcome) == [("count-variance", TPS)]
    missing = UnitMissing(
        region=DISTRICT, unit=BOXES[0], consignment=OUT, leg=1, place=ROUTE[1].place, **LOADED
    )
    assert missing in outcome.events
    assert outcome.events[0] == received(1, received=3, missing=(BOXES[0],))
    assert outcome.events[-1].units == (BOXES[0],)


def test_the_consignment_goes_on_without_a_missing_unit() -> None:
    three = tuple(state(box) for box in BOXES[1:])
    first = at_gate().when(receive(units=three, missing=(BOXES[0],)), PPK)
    past = [*on_the_road(), handed(1), *first.events]
    given = after(*past).when(give(2, units=BOXES[1:]), PPK).then(handed(2, units=3))
    second = after(*past, *given.events).when(receive(2, units=three), PPS)
    assert kinds(second) == []


def test_missing_koli_are_variances_of_their_own() -> None:
    past = [event for event in on_the_road() if event != planned()]
    past = [planned(tps=None, direction="delivery"), *past, handed(1)]
    two = tuple(state(box) for box in BOXES[2:])
    outcome = after(*past).when(receive(units=two, missing=BOXES[:2]), PPK)
    assert kinds(outcome) == [("count-variance", BOXES[0]), ("count-variance", BOXES[1])]


@pytest.mark.parametrize(
    ("at", "found"),
    [
        (datetime(2024, 2, 12, 21, 59, 59, tzinfo=UTC), [("outside-hours", TPS)]),
        (datetime(2024, 2, 12, 22, tzinfo=UTC), []),
        (datetime(2024, 2, 13, 14, tzinfo=UTC), []),
        (datetime(2024, 2, 13, 14, 0, 1, tzinfo=UTC), [("outside-hours", TPS)]),
        (datetime(2024, 2, 13, 16, 30, tzinfo=UTC), [("outside-hours", TPS)]),
    ],
)
def test_outbound_material_changes_hands_between_5_and_21_in_jakarta(at, found) -> None:
    assert kinds(at_gate().when(receive(occurred_at=at), PPK)) == found


def test_the_way_back_knows_no_hours() -> None:
    past = [planned(direction="return"), *(e for e in on_the_road() if e != planned()), handed(1)]
    night = datetime(2024, 2, 14, 18, tzinfo=UTC)
    assert kinds(after(*past).when(receive(occurred_at=night), PPK)) == []


def test_a_hand_over_without_the_supervisor_is_an_incident_of_its_station() -> None:
    outcome = at_gate().when(receive(attended_by=("POLSEK-GAMBIR",)), PPK)
    assert kinds(outcome) == [("supervisor-absent", TPS)]
    assert outcome.events[-1].units == ()


# Strays


def test_a_unit_that_turned_up_elsewhere_is_no_variance() -> None:
    three = tuple(state(box) for box in BOXES[1:])
    outcome = after(*on_the_road(), handed(1), STRAYED).when(
        receive(units=three, missing=(BOXES[0],)), PPK
    )
    assert kinds(outcome) == []
    assert outcome.events[0] == received(1, received=3)


def test_what_the_giver_lacked_need_not_be_named_again() -> None:
    given = after(*on_the_road(), STRAYED).when(give(units=BOXES[1:]), KPU)
    three = tuple(state(box) for box in BOXES[1:])
    outcome = after(*on_the_road(), STRAYED, *given.events).when(receive(units=three), PPK)
    assert kinds(outcome) == []
    assert outcome.events[0] == received(1, given=3, received=3)


def test_an_orphan_is_not_received_but_recovered() -> None:
    after(*on_the_road(), handed(1), STRAYED).when(receive(), PPK).then(UnitNotFit)


def test_a_recovered_unit_had_its_hand_over_already() -> None:
    back = UnitRecovered(
        region=DISTRICT,
        unit=BOXES[0],
        giver=STRAYED.office,
        receiver=ROUTE[1].office,
        place=ROUTE[1].place,
        seal=state(BOXES[0])["seal"],
        condition="good",
        bast="B",
    )
    outcome = after(*on_the_road(), handed(1), STRAYED, back).when(receive(), PPK)
    outcome.then(received(1), *(passed(box, 1) for box in BOXES[1:]))
    past = [*on_the_road(), handed(1), STRAYED, back, *outcome.events]
    after(*past).when(give(2), PPK).then(handed(2))


# What the giver lacked


def account(*units: str) -> AccountAbsentUnits:
    return AccountAbsentUnits(consignment=OUT, tps=TPS, leg=1, giver="KPU-31.71", units=units)


def test_what_a_giver_lacked_and_nobody_has_is_missing() -> None:
    outcome = after(*on_the_road()).when(account(BOXES[0]), KPU)
    missing, incident = outcome.events
    assert missing == UnitMissing(
        region=CITY, unit=BOXES[0], consignment=OUT, leg=1, place=ROUTE[0].place, **LOADED
    )
    assert (incident.incident_kind, incident.tps) == ("count-variance", TPS)
    assert incident.units == (BOXES[0],)
    assert incident.incident == f"count-variance.{TPS}.{OUT}.1.given"


def test_what_turned_up_elsewhere_is_accounted_for() -> None:
    after(*on_the_road(), STRAYED).when(account(BOXES[0]), KPU).then_nothing()


def test_what_is_on_its_way_back_to_the_giver_is_accounted_for_however_late() -> None:
    """It strayed, was recovered, went on to the crew and is with KPU again, as at the start."""
    there = passed(BOXES[0], 3, receiver="KPPS-31.71.01.1001-001", final=True)
    home = passed(BOXES[0], 3, receiver="KPU-31.71", final=True)
    past = [*on_the_road(), STRAYED, there, loaded(BOXES[0], f"RET-{TPS}"), home]
    after(*past).when(account(BOXES[0]), KPU).then_nothing()


def test_a_seal_that_was_never_put_on_cannot_be_missing() -> None:
    past = [event for event in on_the_road() if event != sealed(BOXES[0])]
    assert kinds(after(*past, handed(1)).when(receive(units=read(seal=None)), PPK)) == []


# Two parties are two persons


def test_nobody_receives_what_the_same_person_has_given() -> None:
    both = replace(PPK, actor=KPU.actor)
    at_gate().when(receive(), both).then(SamePerson)
