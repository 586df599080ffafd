"""eventsourcing's own recorders, called by as many threads as there are callers.

usage: eventsourcing_append.py DSN EVENT CALLERS SECONDS RECORDER POOL

The recorders are the lowest documented interface: no aggregate, no mapper, no transcoder. RECORDER
is `aggregates` (PostgresApplicationRecorder with POSTGRES_ENABLE_DB_FUNCTIONS, as in the library's
own speed run) or `dcb` (PostgresDCBRecorderTT with an append condition). psycopg is the C build.
"""

import sys
from collections.abc import Callable
from uuid import uuid4

from calling import in_threads, say
from eventsourcing.dcb.api import DCBAppendCondition, DCBEvent, DCBQuery, DCBQueryItem
from eventsourcing.dcb.postgres_tt import PostgresTTDCBFactory
from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import PostgresFactory
from eventsourcing_settings import settings

TYPE = "unit-handed-over"


def aggregates(factory: PostgresFactory, body: bytes) -> Callable[[], object]:
    recorder = factory.application_recorder()
    return lambda: recorder.insert_events([StoredEvent(uuid4(), 1, TYPE, body)])


def dcb(factory: PostgresTTDCBFactory, body: bytes) -> Callable[[], object]:
    recorder = factory.dcb_recorder()

    def append() -> object:
        stream = str(uuid4())
        new = DCBAppendCondition(DCBQuery(items=[DCBQueryItem(tags=[stream])]))
        return recorder.append([DCBEvent(type=TYPE, data=body, tags=[stream])], new)

    return append


RECORDERS = {"aggregates": (PostgresFactory, aggregates), "dcb": (PostgresTTDCBFactory, dcb)}


def main(dsn: str, event: str, callers: str, seconds: str, recorder: str, pool: str) -> None:
    factory_class, recording = RECORDERS[recorder]
    with factory_class(settings(dsn, pool)) as factory:
        append = recording(factory, event.encode())
        say(in_threads([append] * int(callers), float(seconds)))


main(*sys.argv[1:])
