"""eventsourcing's ProjectionRunner with a Postgres view: stored events to a committed read model.

usage: eventsourcing_projection.py DSN SECONDS

The view is a PostgresTrackingRecorder that writes its row and its position in one transaction for
each event, as the documentation of projections has it, the statements prepared. The runner knows no
larger batches; psycopg's pipeline in place of that transaction was a fifth slower.
"""

import sys
from collections.abc import Mapping
from uuid import NAMESPACE_URL, uuid5

from calling import WARM_UP, committed_rate, say
from eventsourcing.application import Application
from eventsourcing.domain import DomainEvent
from eventsourcing.persistence import Tracking
from eventsourcing.postgres import PostgresDatastore, PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner
from eventsourcing.utils import get_topic
from eventsourcing_settings import settings
from psycopg.sql import SQL

UNITS = 20_000
PAGE = 1_000
FASTEST = 8_000
"""Events a second that nobody reaches: so many are stored ahead."""

HOLDER = SQL(
    "CREATE TABLE IF NOT EXISTS holder"
    " (unit text PRIMARY KEY, holder text, place text, hand_overs bigint)"
)
HAND_OVER = SQL(
    "INSERT INTO holder VALUES (%s, %s, %s, 1) ON CONFLICT (unit) DO UPDATE SET"
    " holder = excluded.holder, place = excluded.place, hand_overs = holder.hand_overs + 1"
)


class HandedOver(DomainEvent):
    unit: str
    holder: str
    place: str
    seal: str
    note: str
    round: int


class Custody(Application):
    name = "custody"


class Holders(PostgresTrackingRecorder):
    """Who holds which unit."""

    def __init__(self, datastore: PostgresDatastore, **kwargs: str) -> None:
        super().__init__(datastore, **kwargs)
        self.sql_create_statements.append(HOLDER)

    def hand_over(self, event: HandedOver, tracking: Tracking) -> None:
        row = (event.unit, event.holder, event.place)
        with self.datastore.transaction(commit=True) as cursor:
            cursor.execute(HAND_OVER, row, prepare=True)
            self._insert_tracking(cursor, tracking)


class HoldersProjection(Projection[Holders]):
    name = "holders"
    topics = (get_topic(HandedOver),)

    def process_event(self, domain_event: HandedOver, tracking: Tracking) -> None:
        self.view.hand_over(domain_event, tracking)


def hand_over(number: int) -> HandedOver:
    """The model's event of that number, counted from 0."""
    unit = f"BOX-{number % UNITS:05}"
    return HandedOver(
        originator_id=uuid5(NAMESPACE_URL, unit),
        originator_version=number // UNITS + 1,
        timestamp=HandedOver.create_timestamp(),
        unit=unit,
        holder=f"PPS-31.71.01.{1001 + number % 6}",
        place=f"GUDANG-31.71-{number % 50:02}",
        seal=f"3171011001A{number % 1000:03}",
        note="x" * 200,
        round=number // UNITS,
    )


def store(env: Mapping[str, str], ahead: int) -> int:
    """Stores events until `ahead` of them are still to be projected; the last one's position."""
    with Custody(env) as custody:
        head = custody.recorder.max_notification_id() or 0
        until = projected(env) + ahead
        for first in range(head, until, PAGE):
            page = [hand_over(number) for number in range(first, min(first + PAGE, until))]
            custody.recorder.insert_events([custody.mapper.to_stored_event(one) for one in page])
        return max(head, until)


def projected(env: Mapping[str, str]) -> int:
    with Custody(env) as custody:
        view = custody.factory.tracking_recorder(Holders)
        return view.max_tracking_id(Custody.name) or 0


def main(dsn: str, seconds: str) -> None:
    env = settings(dsn, "4")
    head = store(env, int(FASTEST * (float(seconds) + WARM_UP)))
    with ProjectionRunner(
        application_class=Custody,
        projection_class=HoldersProjection,
        view_class=Holders,
        env=env,
    ) as runner:

        def position() -> int:
            return runner.view.max_tracking_id(Custody.name) or 0

        say({"rate": committed_rate(position, head, float(seconds))})


main(*sys.argv[1:])
