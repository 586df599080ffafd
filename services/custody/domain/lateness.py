"""Late: what the crews did not have in their hands one day before voting (H-1)."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, ClassVar

from services.custody.domain import consignments
from services.custody.domain.errors import NotLate
from services.custody.domain.incidents import incident_id, raise_incident
from shared.contracts.base import WIB_OFFSET, Id, Instant, day
from shared.contracts.custody import IncidentRaised
from shared.eventstore.command import Command, Context

CLOSING = time(21)
"""The hour (WIB) of H-1 at which hand-overs end."""


class RaiseLate(Command):
    """Name the polling station late whose delivery was not complete at the deadline."""

    name: ClassVar[str] = "raise-late"
    roles: ClassVar[frozenset[str]] = frozenset({"scheduler"})

    consignment: Id
    tps: Id
    voting_day: date
    as_of: Instant

    def streams(self) -> tuple[str, ...]:
        return (f"consignment-{self.consignment}", f"incident-{self.incident}")

    @property
    def incident(self) -> str:
        return incident_id("late", self.tps, self.consignment, 0)


def deadline(voting_day: date) -> datetime:
    """H-1, 21:00 in western Indonesia."""
    local = datetime.combine(voting_day - timedelta(days=1), CLOSING, tzinfo=UTC)
    return local - WIB_OFFSET


def voting_begins(voting_day: date) -> datetime:
    """Midnight (WIB) after H-1: what is received from here on is late, whenever it is judged."""
    return datetime.combine(voting_day, time(0), tzinfo=UTC) - WIB_OFFSET


def raise_late(
    command: RaiseLate, states: Mapping[str, Any], context: Context
) -> Sequence[IncidentRaised]:
    state = consignments.require(states, command.consignment)
    if states[f"incident-{command.incident}"].raised is not None:
        return ()
    due = deadline(command.voting_day)
    if not _is_late(state, command, due):
        raise NotLate(f"{command.consignment} is not late for {command.tps}")
    return (
        raise_incident(
            "late",
            incident=command.incident,
            region=state.region,
            detail=f"Not in the hands of the crew by {due.isoformat()}",
            tps=command.tps,
            consignment=command.consignment,
        ),
    )


def _is_late(state: consignments.Consignment, command: RaiseLate, due: datetime) -> bool:
    """A consignment released after the deadline serves a later polling."""
    if command.as_of < due or state.direction != "outbound" or state.tps != command.tps:
        return False
    if state.status == "cancelled" or state.release_from >= due:
        return False
    return state.received_at is None or day(state.received_at) >= command.voting_day
