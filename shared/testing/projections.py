"""For tests of projections and policies: services' logs in memory, as bus and as owners' replay."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID, uuid4

from shared.bus import cloudevents
from shared.bus.message import Message
from shared.contracts.base import Event, canonical
from shared.eventstore import Recorded

ACT = {
    "actor": "P-1",
    "agency": "KPU",
    "causation": None,
    "correlation": None,
    "occurred_at": "2024-02-13T01:02:03Z",
    "traceparent": "",
}


@dataclass
class MemoryLog:
    """One service's log; `window` is where its stream on the bus begins."""

    service: str
    messages: list[Message] = field(default_factory=list)
    log_id: UUID = field(default_factory=uuid4)
    window: int = 1
    flowing: bool = True
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def position(self) -> int:
        return len(self.messages)

    def add(self, kind: str, stream: str, content: Mapping[str, object], **act: object) -> Message:
        region = str(content.get("region", "31.71"))
        stored = Recorded(
            position=self.position + 1,
            id=uuid4(),
            stream=stream,
            version=1,
            type=kind,
            data=canonical(dict(content)),
            meta=canonical({**ACT, "region": region, "regions": [region], **act}),
            recorded_at=datetime.now(UTC),
            command_id=uuid4(),
        )
        block = cloudevents.encode(stored, self.log_id, f"/kawal/31/{self.service}")
        message = Message(stored.position, f"kawal.{self.service}", stored.data, block)
        self.messages.append(message)
        self.notify()
        return message

    def restore(self, position: int) -> None:
        """The store comes back from a backup taken at `position`, as another log."""
        kept, old = self.messages[:position], str(self.log_id).encode()
        self.log_id = uuid4()
        new = str(self.log_id).encode()
        self.messages = [
            Message(m.position, m.subject, m.data, m.block.replace(old, new)) for m in kept
        ]
        self.notify()

    def notify(self) -> None:
        self.arrived.set()
        self.arrived = asyncio.Event()


@dataclass
class MemoryBus:
    """Streams and owners' replay of every service: `open_feed` and `replay` of a `Worker`."""

    logs: dict[str, MemoryLog] = field(default_factory=dict)
    asked: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    away: bool = False

    def log(self, service: str) -> MemoryLog:
        return self.logs.setdefault(service, MemoryLog(service))

    def record(self, event: Event, **act: object) -> Message:
        """Append a fact of the contracts to its service's log."""
        content = event.model_dump(exclude_none=True)
        return self.log(event.service).add(event.type, event.stream, content, **act)

    async def read(self, service: str, after: int, limit: int) -> Sequence[Message]:
        self._check()
        self.asked[service] += 1
        await asyncio.sleep(0)
        return self.log(service).messages[after : after + limit]

    async def position(self, service: str) -> MemoryLog:
        self._check()
        return self.log(service)

    async def open_feed(self, service: str, after: int) -> AsyncIterator[Sequence[Message]]:
        while True:
            self._check()
            log = self.log(service)
            after = max(after, log.window - 1)
            if log.flowing and (batch := log.messages[after : after + 500]):
                after = batch[-1].position
                yield batch
            else:
                await log.arrived.wait()

    def _check(self) -> None:
        if self.away:
            raise ConnectionError("the bus is away")
