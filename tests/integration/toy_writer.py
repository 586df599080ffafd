"""A process of its own that appends to contended streams: `toy_writer.py DSN NAME COUNT`.

Prints one line `first last` for each command that was appended.
"""

import asyncio
import sys

from toy_boxes import append, write

from shared.eventstore import Appended, Conflict, EventStore


async def main(dsn: str, name: str, count: int) -> None:
    async with await EventStore.open(dsn, service="custody") as store:

        async def caller(number: int) -> None:
            for n in range(count):
                hot = f"hot-{n % 3}"
                version = len(await store.read_stream(hot))
                own = write(f"{name}-{number}-{n}", count=2)
                [verdict] = await store.append_many([append(own, write(hot, version))])
                if isinstance(verdict, Appended):
                    print(verdict.first, verdict.last)
                elif not isinstance(verdict, Conflict):
                    raise SystemExit(repr(verdict))

        await asyncio.gather(*map(caller, range(8)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
