"""The facts as they are sent: each read and put into words once for all its endpoints."""

from collections import OrderedDict
from dataclasses import dataclass

from services.exchange.webhooks import message
from shared.eventstore import EventStore

MOST_BYTES = 8 << 20


@dataclass(frozen=True, slots=True)
class Sent:
    type: str
    body: bytes
    traceparent: str


class Events:
    """By position in the log; the latest are kept, as far as there is room."""

    def __init__(self, store: EventStore, source: str) -> None:
        self._store = store
        self._source = source
        self._kept: OrderedDict[int, Sent] = OrderedDict()
        self._bytes = 0

    async def at(self, position: int) -> Sent:
        if (known := self._kept.get(position)) is not None:
            return known
        [event] = await self._store.read_all(position - 1, 1)
        body = message.body(event, self._source)
        made = Sent(event.type, body, event.metadata.traceparent)
        self._keep(position, made)
        return made

    def _keep(self, position: int, made: Sent) -> None:
        """Several couriers may have asked for it meanwhile."""
        if position not in self._kept:
            self._kept[position] = made
            self._bytes += len(made.body)
        while self._bytes > MOST_BYTES:
            _, oldest = self._kept.popitem(last=False)
            self._bytes -= len(oldest.body)
