"""Sending again, from a place in the log on, what an endpoint wants of it now.

What still waits is left as it is; ids are those of the first time.
"""

from datetime import datetime

import asyncpg

from services.exchange.webhooks.filler import PAGE, Wish, rows, wanted
from services.exchange.webhooks.queries import SQL
from shared.eventstore import EventStore


async def replay(
    store: EventStore, pool: asyncpg.Pool, wish: Wish, after: int, *, dry_run: bool
) -> int:
    """How many facts are (or would be) sent of those after a position, up to what was queued.

    All of them or none, and at once: else what comes meanwhile would get in between.
    """
    reader = await SQL.reader(pool)
    end, count = reader["position"] if reader else 0, 0
    async with pool.acquire() as connection, connection.transaction():
        while after < end:
            events = await store.read_all(after, min(PAGE, end - after))
            found = await wanted(store, [wish], events)
            count += len(found)
            if found and not dry_run:
                await SQL.queue_again(connection, **rows(found))
            after = events[-1].position
    return count


async def position_before(store: EventStore, time: datetime) -> int:
    """The last position that was recorded before a time; 0 if none was."""
    low, high = 0, await store.position()
    while low < high:
        middle = (low + high + 1) // 2
        [event] = await store.read_all(middle - 1, 1)
        if event.recorded_at < time:
            low = middle
        else:
            high = middle - 1
    return low
