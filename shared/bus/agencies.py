"""What an agency gets: a stream that the exchange fills for it, and one durable consumer.

The agency's own user asks `kawal.next` for more (`{"batch": 10, "expires": <nanoseconds>}`) and
acknowledges on each message's reply subject; a repeat carries the same `ce-id`.
"""

from nats.js import JetStreamContext, api

from shared.bus import streams, subjects
from shared.bus.accounts import consumer_name
from shared.bus.connection import Client
from shared.bus.message import Message

STREAM_BYTES = 256 * 1024 * 1024
DOUBLES_SECONDS = 120


async def declare(js: JetStreamContext, agency: str, first: int = 1) -> None:
    """The agency's stream and its durable; what exists is kept, a new stream begins at `first`."""
    stream = subjects.agency_stream(agency)
    if await streams.find(js, stream) is None:
        await js.add_stream(
            name=stream,
            description=f"What concerns {agency}",
            subjects=[subjects.agency_subjects(agency)],
            storage=api.StorageType.FILE,
            discard=api.DiscardPolicy.OLD,
            max_bytes=STREAM_BYTES,
            duplicate_window=DOUBLES_SECONDS,
            deny_delete=True,
            deny_purge=True,
            first_seq=first if first > 1 else None,
        )
    durable = consumer_name(agency)
    await js.add_consumer(
        stream,
        name=durable,
        durable_name=durable,
        deliver_policy=api.DeliverPolicy.ALL,
        ack_policy=api.AckPolicy.EXPLICIT,
        ack_wait=60,
        max_ack_pending=10_000,
    )


async def copy(nats: Client, agency: str, message: Message) -> None:
    """Put an event into the agency's stream, headers and bytes as they are."""
    headers = {
        name: value
        for line in message.block.decode().split("\r\n")
        for name, found, value in [line.partition(": ")]
        if found and not name.lower().startswith("nats-")
    }
    headers["Nats-Msg-Id"] = str(message.id)
    await nats.jetstream().publish(
        subjects.agency_subject(agency, message.subject), message.data, headers=headers
    )
