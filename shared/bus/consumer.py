"""The JetStream consumer behind a feed: made where the reader stands, as often as needed.

Ephemeral and without acknowledgements: the reader's checkpoint is in its own database, in the same
transaction as what it made of the message.
"""

from nats.js import api

from shared.bus.connection import Client

IDLE_SECONDS = 30


class Consumer:
    """A pull consumer on `stream`."""

    def __init__(self, nats: Client, stream: str) -> None:
        self._js = nats.jetstream()
        self._stream = stream
        self._name = ""

    async def stream_info(self) -> api.StreamInfo:
        return await self._js.stream_info(self._stream)

    async def start(self, first: int) -> None:
        """Deliver from position `first` on, through a new consumer.

        The server removes the former one when nobody has asked it for a while: no service needs
        the right to delete consumers.
        """
        config = api.ConsumerConfig(
            deliver_policy=api.DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=first,
            ack_policy=api.AckPolicy.NONE,
            replay_policy=api.ReplayPolicy.INSTANT,
            inactive_threshold=IDLE_SECONDS,
            mem_storage=True,
            num_replicas=1,
        )
        self._name = (await self._js.add_consumer(self._stream, config)).name

    def request(self, reply: bytes, body: bytes) -> bytes:
        """The command that asks for more messages, to be delivered to `reply`."""
        subject = f"$JS.API.CONSUMER.MSG.NEXT.{self._stream}.{self._name}".encode()
        return b"PUB %b %b %d\r\n%b\r\n" % (subject, reply, len(body), body)
