"""`publish URL PASSWORD EVENTS`: nats-py alone, as its documentation publishes fastest.

Asynchronous JetStream publishes, as many under way as nats-py allows by default, each answered; no
order is enforced and no store is read.
"""

import sys
from time import perf_counter

import nats
import uvloop
from nats.js.api import StreamConfig

from shared import memory
from shared.bus.subjects import stream_name, subject_of, subjects_of
from tests.bench.load import BODY, REGION, TYPE, say
from tests.bench.room import CELL

SERVICE = "custody"


async def main(url: str, password: str, events: int) -> None:
    client = await nats.connect(
        url, user=SERVICE, password=password, inbox_prefix=f"_INBOX.{SERVICE}".encode()
    )
    js = client.jetstream()
    name, subject = stream_name(SERVICE, CELL), subject_of(TYPE, REGION)
    await js.add_stream(StreamConfig(name=name, subjects=[subjects_of(SERVICE)]))
    memory.settle()
    began = perf_counter()
    for _ in range(events):
        await js.publish_async(subject, BODY, stream=name)
    await js.publish_async_completed()
    took = perf_counter() - began
    stored = (await js.stream_info(name)).state.messages
    await js.delete_stream(name)
    await client.close()
    if stored != events:
        raise SystemExit(f"{stored} of {events} were stored")
    say({"rate": events / took})


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
