"""Durable append, one event per command, 128 callers: the store beside all others and the disk."""

from tests.bench.peers import append_contenders
from tests.bench.row import Row, Target, figure, times
from tests.bench.stores import appending, copying, pgbench, syncing

TWO = "kawal, two processes"

ROW = Row(
    name="append-128",
    title="durable append, 1 event per command with expected version, 128 callers, one process "
    "(two processes: 128 callers each)",
    unit="events/s",
    contenders=(
        appending("kawal", 128),
        appending(TWO, 128, processes=2),
        *append_contenders(callers=128),
        pgbench("pgbench", 128),
        copying(),
        syncing(),
    ),
    targets=(
        Target(
            "x the best of eventsourcing, Emmett and message-db",
            10,
            times("kawal", "eventsourcing", "emmett", "message-db"),
        ),
        Target("x UmaDB", 5, times("kawal", "umadb")),
        Target("x pgbench, one INSERT per transaction", 3, times("kawal", "pgbench")),
        Target("ms, 99 % of the appends", 15, figure("kawal", "p99_ms"), most=True),
        Target("x one process, by two", 1.3, times(TWO, "kawal")),
    ),
    seconds=340,
)
