"""Late against H-1, and incidents that are closed."""

from datetime import UTC, date, datetime, timedelta

import pytest
from custody_facts import (
    BOXES,
    OUT,
    TPS,
    VILLAGE,
    acting,
    after,
    in_store,
    kinds,
    loaded,
    on_the_road,
    planned,
    received,
    regions_needed,
)

from services.custody.domain.errors import NotLate, UnknownConsignment, UnknownIncident, WrongState
from services.custody.domain.incidents import CloseIncident
from services.custody.domain.lateness import RaiseLate, deadline, voting_begins
from shared.contracts.custody import ConsignmentCancelled, IncidentClosed, IncidentRaised

VOTING = date(2024, 2, 14)
DEADLINE = datetime(2024, 2, 13, 14, tzinfo=UTC)
"""21:00 in Jakarta on the day before voting."""

NOW = acting("system", now=DEADLINE)


def late(as_of: datetime = DEADLINE) -> RaiseLate:
    return RaiseLate(consignment=OUT, tps=TPS, voting_day=VOTING, as_of=as_of)


def raised() -> IncidentRaised:
    return IncidentRaised(
        region=VILLAGE,
        incident=f"late.{TPS}.{OUT}.0",
        incident_kind="late",
        tps=TPS,
        consignment=OUT,
        detail=f"Not in the hands of the crew by {DEADLINE.isoformat()}",
    )


def test_the_deadline_is_the_evening_before_voting_in_jakarta() -> None:
    assert deadline(VOTING) == DEADLINE
    assert voting_begins(VOTING) == datetime(2024, 2, 13, 17, tzinfo=UTC)


@pytest.mark.parametrize("legs", [0, 1, 2])
def test_a_station_is_late_whose_last_leg_was_not_received(legs: int) -> None:
    after(*on_the_road(legs)).when(late(), NOW).then(raised())


def test_a_consignment_that_never_left_is_late() -> None:
    after(*in_store(), planned(), *map(loaded, BOXES)).when(late(), NOW).then(raised())


def test_what_was_received_in_time_is_not_late() -> None:
    after(*on_the_road(3)).when(late(), NOW).then(NotLate)


def test_nothing_is_late_before_the_deadline() -> None:
    after(*on_the_road(1)).when(late(DEADLINE - timedelta(seconds=1)), NOW).then(NotLate)


def test_what_was_received_on_voting_day_is_late_whenever_it_is_judged() -> None:
    past = on_the_road(2)
    morning = received(3, received_at=datetime(2024, 2, 13, 22, 30, tzinfo=UTC))
    after(*past, morning).when(late(), NOW).then(raised())
    evening = received(3, received_at=datetime(2024, 2, 13, 16, 30, tzinfo=UTC))
    after(*past, evening).when(late(), NOW).then(NotLate)


def test_a_station_is_late_once() -> None:
    after(*on_the_road(1), raised()).when(late(), NOW).then_nothing()


def test_only_deliveries_to_crews_before_the_deadline_can_be_late() -> None:
    back = [planned(direction="return"), *map(loaded, BOXES)]
    after(*in_store(), *back).when(late(), NOW).then(NotLate)
    again = planned(release_from=DEADLINE, release_until=DEADLINE + timedelta(days=1))
    after(*in_store(), again).when(late(), NOW).then(NotLate)
    off = ConsignmentCancelled(region=VILLAGE, consignment=OUT, tps=TPS, reason="Banjir")
    after(*in_store(), planned(), off).when(late(), NOW).then(NotLate)
    after().when(late(), NOW).then(UnknownConsignment)


def test_being_late_breaks_no_chain() -> None:
    outcome = after(*on_the_road(1)).when(late(), NOW)
    assert kinds(outcome) == [("late", TPS)]
    assert outcome.events[0].units == ()


def test_an_incident_is_closed_with_its_remedy_once() -> None:
    command = CloseIncident(incident=raised().incident, remedy="Diantar pagi hari")
    closed = IncidentClosed(
        region=VILLAGE,
        incident=raised().incident,
        incident_kind="late",
        tps=TPS,
        consignment=OUT,
        remedy="Diantar pagi hari",
    )
    after(raised()).when(command, NOW).then(closed)
    after(raised(), closed).when(command, NOW).then(WrongState)
    after().when(command, NOW).then(UnknownIncident)
    assert regions_needed(after(raised()), command) == [VILLAGE]
