"""Durable append, one event per command, for few callers: 16, and one who waits for each answer."""

from collections.abc import Sequence
from dataclasses import replace

from tests.bench.peers import append_contenders
from tests.bench.row import Contender, Row, Target, times
from tests.bench.stores import appending, pgbench

ALONE = ", 1 caller"


def _alone(contenders: Sequence[Contender]) -> Sequence[Contender]:
    return [replace(one, name=one.name + ALONE) for one in contenders]


ROW = Row(
    name="append-few",
    title="the same with 16 callers; with 1 caller",
    unit="events/s",
    contenders=(
        appending("kawal", 16),
        *append_contenders(callers=16),
        pgbench("pgbench", 16),
        *_alone([appending("kawal", 1), *append_contenders(callers=1), pgbench("pgbench", 1)]),
    ),
    targets=(
        Target(
            "x the best of eventsourcing, Emmett and message-db, 16 callers",
            8,
            times("kawal", "eventsourcing", "emmett", "message-db"),
        ),
        Target(
            "x the best of eventsourcing and Emmett, 1 caller",
            1.3,
            times(f"kawal{ALONE}", f"eventsourcing{ALONE}", f"emmett{ALONE}"),
        ),
    ),
    seconds=400,
)
