"""`append DSN CALLERS SECONDS [AT]`: commands of one event, each to a new stream, durably."""

import sys
from datetime import UTC, datetime

import uvloop

from shared import memory
from shared.eventstore import Append, EventStore, Expected, Metadata, NewEvent, Write, uuid7
from tests.bench.load import BODY, REGION, TYPE, sampled, say

METADATA = Metadata("person-1", "PPS", datetime(2024, 2, 13, 8, tzinfo=UTC))
FINGERPRINT = bytes(32)


def command() -> Append:
    """A new command with one event on a new stream, which must not exist."""
    id = uuid7()
    event = NewEvent(uuid7(), TYPE, BODY, REGION, (REGION,))
    write = Write(f"unit-{id}", Expected.NONE, (event,))
    return Append(id, FINGERPRINT, (write,), {}, METADATA)


async def main(dsn: str, callers: int, seconds: float, at: float | None) -> None:
    async with await EventStore.open(dsn, service="bench") as store:
        memory.settle()
        say(await sampled(callers, seconds, lambda: store.append(command()), at))


if __name__ == "__main__":
    dsn, callers, seconds, *at = sys.argv[1:]
    uvloop.run(main(dsn, int(callers), float(seconds), float(at[0]) if at else None))
