"""A consignment is planned with what is there, leaves in its window, or is given up."""

from datetime import timedelta

import pytest
from custody_facts import (
    BOXES,
    CITY,
    CLOSES,
    MORNING,
    OPENS,
    OUT,
    REGIONS,
    ROUTE,
    TPS,
    VILLAGE,
    acting,
    after,
    departed,
    in_store,
    kinds,
    loaded,
    on_the_road,
    plan,
    planned,
    received,
    regions_needed,
    registered,
)
from pydantic import ValidationError

from services.custody.domain.errors import (
    ConsignmentExists,
    EarlyRelease,
    NotOnConsignment,
    NotTheCustodian,
    NotYourOffice,
    PlaceNotRegistered,
    ReleaseClosed,
    Repeated,
    UnitInConsignment,
    UnitNotFit,
    UnknownConsignment,
    UnknownUnit,
    WrongState,
)
from services.custody.domain.planning import CancelConsignment, DepartConsignment, UnloadUnits
from shared.contracts.custody import (
    ConsignmentCancelled,
    ConsignmentUnloaded,
    DepartureRefused,
    IncidentRaised,
    UnitMissing,
    UnitOrphaned,
    UnitUnloaded,
    UnitVoided,
)

HELD = {"custodian": "KPU-31.71", "was": "registered"}
KPU = acting("KPU")
DEPART = DepartConsignment(consignment=OUT)


def ready() -> list:
    return [*in_store(), planned(), *map(loaded, BOXES)]


def leaving(at) -> DepartConsignment:
    return DepartConsignment(consignment=OUT, occurred_at=at)


def test_planning_loads_every_unit() -> None:
    after(*in_store()).when(plan(), KPU).then(planned(), *map(loaded, BOXES))


def test_a_consignment_is_planned_once() -> None:
    after(*in_store(), planned()).when(plan(), KPU).then(ConsignmentExists)


def test_a_unit_that_nobody_registered_cannot_be_consigned() -> None:
    after().when(plan(), KPU).then(UnknownUnit)


def test_a_unit_is_in_one_consignment_at_a_time() -> None:
    past = [*in_store(), loaded(BOXES[0], "OUT-other")]
    after(*past).when(plan(), KPU).then(UnitInConsignment)


def test_a_unit_is_consigned_from_where_its_custodian_is() -> None:
    past = [registered(box, custodian="KPU-31.72") for box in BOXES]
    after(*past).when(plan(), KPU).then(NotTheCustodian)


@pytest.mark.parametrize(
    "unfit",
    [
        UnitOrphaned(region=CITY, unit=BOXES[1], place="X", office="KPU-31.71", **HELD),
        UnitMissing(region=CITY, unit=BOXES[1], consignment="C", leg=1, place="X", **HELD),
        UnitVoided(region=CITY, unit=BOXES[1], reason="Rusak", **HELD),
    ],
)
def test_an_orphaned_missing_or_voided_unit_cannot_be_consigned(unfit) -> None:
    after(*in_store(), unfit).when(plan(), KPU).then(UnitNotFit)


def test_every_place_of_the_route_must_be_registered() -> None:
    hall = {"place": "BALAI-X", "office": "PPS-31.71.01.1001", "region": VILLAGE}
    route = (ROUTE[0]._asdict(), hall)
    outcome = after(*in_store()).when(plan(route=route), KPU).then(PlaceNotRegistered)
    assert outcome.refusal.extra == {"places": ["BALAI-X"]}


def test_a_unit_listed_twice_is_refused() -> None:
    after(*in_store()).when(plan(units=(BOXES[0], BOXES[0])), KPU).then(Repeated)


def test_a_window_that_closes_before_it_opens_is_no_window() -> None:
    with pytest.raises(ValidationError):
        plan(release_from=CLOSES, release_until=OPENS)


def test_it_departs_within_its_window() -> None:
    after(*ready()).when(leaving(MORNING), KPU).then(departed())


@pytest.mark.parametrize("at", [OPENS, CLOSES])
def test_the_ends_of_the_window_belong_to_it(at) -> None:
    outcome = after(*ready()).when(leaving(at), KPU)
    assert outcome.events == (departed().model_copy(update={"departed_at": at}),)


def test_only_the_custodian_at_the_origin_lets_it_depart() -> None:
    after(*ready()).when(DEPART, acting("PPK")).then(NotYourOffice)
    after(*ready()).when(DEPART, acting("KPU", "31.72")).then(NotYourOffice)
    assert regions_needed(after(*ready()), DEPART) == [CITY]


def test_it_departs_once() -> None:
    after(*on_the_road()).when(DEPART, KPU).then(WrongState)


def test_what_was_never_planned_cannot_depart() -> None:
    after().when(DEPART, KPU).then(UnknownConsignment)


def test_leaving_before_the_window_is_refused_and_remembered_as_an_incident() -> None:
    early = OPENS - timedelta(minutes=1)
    outcome = after(*ready()).when(leaving(early), KPU).then(EarlyRelease)
    refused, incident = outcome.refusal.records
    assert refused == DepartureRefused(
        region=CITY,
        consignment=OUT,
        tps=TPS,
        route_regions=REGIONS,
        attempted_at=early,
        reason="The release window has not opened",
    )
    assert isinstance(incident, IncidentRaised)
    assert (incident.incident_kind, incident.tps, incident.units) == ("early-release", TPS, ())
    assert incident.incident == f"early-release.{TPS}.{OUT}.0"


def test_a_second_early_attempt_is_refused_without_a_second_incident() -> None:
    early = OPENS - timedelta(minutes=1)
    first = after(*ready()).when(leaving(early), KPU)
    again = after(*ready(), *first.refusal.records).when(leaving(early), KPU).then(EarlyRelease)
    assert again.refusal.records == ()


def test_after_an_early_attempt_it_still_departs_in_time() -> None:
    first = after(*ready()).when(leaving(OPENS - timedelta(hours=1)), KPU)
    after(*ready(), *first.refusal.records).when(leaving(MORNING), KPU).then(departed())


def test_leaving_after_the_window_is_refused() -> None:
    outcome = after(*ready()).when(leaving(CLOSES + timedelta(seconds=1)), KPU)
    outcome.then(ReleaseClosed)
    assert outcome.refusal.records == ()


def test_the_business_clock_counts_where_no_time_is_given() -> None:
    early = acting("KPU", now=OPENS - timedelta(hours=1))
    after(*ready()).when(DEPART, early).then(EarlyRelease)


def test_units_are_taken_off_and_the_others_go_on() -> None:
    command = UnloadUnits(consignment=OUT, units=(BOXES[0],), reason="Bocor")
    after(*ready()).when(command, KPU).then(
        ConsignmentUnloaded(
            region=VILLAGE,
            consignment=OUT,
            tps=TPS,
            route_regions=REGIONS,
            units=(BOXES[0],),
            reason="Bocor",
        ),
        UnitUnloaded(region=VILLAGE, unit=BOXES[0], consignment=OUT, reason="Bocor"),
    )


def test_only_what_is_on_a_consignment_is_taken_off() -> None:
    command = UnloadUnits(consignment=OUT, units=("BOX-X",), reason="Bocor")
    after(*ready()).when(command, KPU).then(NotOnConsignment)


def test_a_consignment_that_has_not_left_can_be_given_up() -> None:
    command = CancelConsignment(consignment=OUT, units=BOXES, reason="Banjir")
    outcome = after(*ready()).when(command, KPU)
    assert outcome.events == (
        ConsignmentCancelled(
            region=VILLAGE, consignment=OUT, tps=TPS, route_regions=REGIONS, reason="Banjir"
        ),
        *(
            UnitUnloaded(region=VILLAGE, unit=box, consignment=OUT, reason="Banjir")
            for box in BOXES
        ),
    )
    again = after(*ready(), *outcome.events)
    again.when(plan(consignment="OUT-2"), KPU).then(
        planned(consignment="OUT-2"), *(loaded(box, "OUT-2") for box in BOXES)
    )


def test_giving_up_needs_all_units_named_and_nothing_departed() -> None:
    some = CancelConsignment(consignment=OUT, units=BOXES[:3], reason="Banjir")
    after(*ready()).when(some, KPU).then(NotOnConsignment)
    every = CancelConsignment(consignment=OUT, units=BOXES, reason="Banjir")
    after(*on_the_road()).when(every, KPU).then(WrongState)


def test_a_finished_consignment_keeps_only_what_is_asked_later() -> None:
    state = after(*on_the_road(3)).state(f"consignment-{OUT}")
    assert (state.status, state.leg, state.units, state.route) == ("delivered", 3, (), ())
    assert state.received_at == received(3).received_at


def test_a_consignment_without_a_station_is_its_own_subject() -> None:
    past = [*in_store(), planned(tps=None), *map(loaded, BOXES)]
    outcome = after(*past).when(leaving(OPENS - timedelta(hours=1)), KPU)
    assert outcome.refusal.records[1].incident == f"early-release.{OUT}.{OUT}.0"
    assert kinds(after(*past).when(leaving(MORNING), KPU)) == []
