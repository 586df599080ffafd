"""message-db's write_message, called on a pool of asyncpg connections under uvloop.

usage: message_db_append.py DSN EVENT CALLERS SECONDS CONNECTIONS [CATEGORIES]

The statement is prepared once for each connection; an expected version of -1 is "no stream yet".
All streams are of one category, as those of one kind of entity are, or of CATEGORIES in turn.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from itertools import cycle
from uuid import uuid4

import asyncpg
import uvloop
from calling import in_tasks, say

TYPE = "UnitHandedOver"
Write = Callable[..., Awaitable[object]]

WRITE = "SELECT write_message($1, $2, $3, $4, NULL, -1)"


def appending(idle: list[Write], event: str, categories: int) -> Callable[[], Awaitable[object]]:
    turn = asyncio.Semaphore(len(idle))
    kinds = cycle([f"unit{number or ''}" for number in range(categories)])

    async def append() -> object:
        async with turn:
            write = idle.pop()
            try:
                return await write(str(uuid4()), f"{next(kinds)}-{uuid4()}", TYPE, event)
            finally:
                idle.append(write)

    return append


async def main(
    dsn: str, event: str, callers: str, seconds: str, connections: str, categories: str = "1"
) -> None:
    idle: list[Write] = []
    for _ in range(int(connections)):
        connection = await asyncpg.connect(
            dsn, server_settings={"search_path": "message_store,public"}
        )
        idle.append((await connection.prepare(WRITE)).fetchval)
    append = appending(idle, event, int(categories))
    say(await in_tasks([append] * int(callers), float(seconds)))


uvloop.run(main(*sys.argv[1:]))
