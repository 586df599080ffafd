"""UmaDB's own client, called by as many threads as there are callers, each append with a condition.

usage: umadb_append.py URL EVENT CALLERS SECONDS CLIENTS

The client is Rust and lets go of the interpreter while it waits; the server batches what comes at
once. A condition that no event has the new stream's tag is what an expected version "none" is here.
"""

import sys
from collections.abc import Callable
from uuid import uuid4

from calling import in_threads, say
from umadb import AppendCondition, Client, Event, Query, QueryItem

TYPE = "unit-handed-over"


def appending(client: Client, body: bytes) -> Callable[[], object]:
    def append() -> object:
        stream = str(uuid4())
        new = AppendCondition(Query([QueryItem(tags=[stream])]))
        return client.append([Event(TYPE, body, [stream])], new)

    return append


def main(url: str, event: str, callers: str, seconds: str, clients: str) -> None:
    acts = [appending(Client(url), event.encode()) for _ in range(int(clients))]
    shared = [acts[n % len(acts)] for n in range(int(callers))]
    say(in_threads(shared, float(seconds)))


main(*sys.argv[1:])
