"""`copy DSN SECONDS`: the rows of the append by COPY alone, without checks: the store's limit."""

import sys
from datetime import UTC, datetime
from itertools import count
from time import perf_counter

import asyncpg
import uvloop

from shared.eventstore import uuid7
from tests.bench.load import BODY, TYPE, say

ROWS = 5_000
COLUMNS = (
    *("position", "id", "stream_id", "version", "type"),
    *("recorded_at", "command_id", "data", "meta"),
)
META = bytes(220)


def rows(positions: "count[int]") -> list[tuple[object, ...]]:
    now = datetime.now(UTC)
    made = []
    for _ in range(ROWS):
        id = uuid7()
        made.append((next(positions), id, f"unit-{id}", 1, TYPE, now, id, BODY, META))
    return made


async def main(dsn: str, seconds: float) -> None:
    connection = await asyncpg.connect(dsn)
    last = await connection.fetchval("select coalesce(max(position), 0) from eventstore.event")
    positions, done, spent = count(last + 1), 0, 0.0
    while spent < seconds:
        batch = rows(positions)  # made outside the timing
        began = perf_counter()
        await connection.copy_records_to_table(
            "event", schema_name="eventstore", columns=COLUMNS, records=batch
        )
        spent += perf_counter() - began
        done += len(batch)
    await connection.close()
    say({"rate": done / spent})


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], float(sys.argv[2])))
