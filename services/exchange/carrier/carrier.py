"""Copies what concerns an agency into its stream, once, whatever dies.

The stream itself says where to go on: each copy names the event that caused it, and each publish
expects its predecessor, so that a second carrier is refused. Postgres keeps what the agency has
acknowledged: a stream that was lost begins again behind that; what repeats bears the same `ce-id`.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import aiosql
import asyncpg
from nats.js.errors import NotFoundError

from services.exchange.carrier.copies import Copy, copies
from shared.bus import agencies, cloudevents, streams, subjects
from shared.bus.accounts import consumer_name
from shared.bus.cancellation import heed
from shared.bus.connection import Client
from shared.bus.lead import Alone
from shared.bus.publisher import ATOMIC_FROM, Outgoing, Publisher
from shared.bus.wake import Alarm
from shared.eventstore import EventStore

log = logging.getLogger(__name__)

SQL = aiosql.from_path(
    Path(__file__).parent / "progress.sql", "asyncpg", mandatory_parameters=False
)

HEADER = "kawal-copy"
"""`<position>.<index>`: the event that caused the copy, and which of its copies this is."""
PAGE = 1_000
RUN = ATOMIC_FROM - 1
POLL_SECONDS = 1.0
ACKNOWLEDGE_SECONDS = 5.0
PAUSE_SECONDS = 0.5


@dataclass(slots=True)
class At:
    """The stream holds the copies up to `place`, the last of them as `sequence`; the log was read
    up to `read`."""

    place: tuple[int, int]
    sequence: int
    read: int
    log_id: UUID


class OtherLog(Exception):
    """The log was restored from a backup: what was copied is of its past."""


class Carrier:
    """Serves one agency for as long as it runs. `nats` is a connection of its own."""

    def __init__(
        self,
        store: EventStore,
        pool: asyncpg.Pool,
        nats: Client,
        agency: str,
        cell: str,
        *,
        lead: Alone | None = None,
    ) -> None:
        self.agency = agency
        self._store = store
        self._pool = pool
        self._nats = nats
        self._stream = subjects.agency_stream(agency)
        self._source = cloudevents.source("exchange", cell)
        self._lead = lead or Alone()
        self._alarm = Alarm()
        self._noted = float("-inf")

    async def run(self) -> None:
        """Until cancelled; after any error it looks again where the stream is."""
        self._store.on_append.append(self._alarm.appended)
        try:
            while True:
                heed()
                try:
                    async with self._lead.held() as lost:
                        await self._turn(lost)
                except Exception as error:
                    log.warning("carrier %s: %s: %s", self.agency, type(error).__name__, error)
                    if self._nats.is_connected:
                        await self._nats.drop()
                await asyncio.sleep(PAUSE_SECONDS)
        finally:
            self._store.on_append.remove(self._alarm.appended)

    async def _turn(self, lost: asyncio.Event) -> None:
        await self._nats.connected()
        connection = self._nats.connections
        await SQL.prepare(self._pool)
        publisher = Publisher(self._nats)
        await publisher.open()
        try:
            at = await self._begin()
            while not lost.is_set() and connection == self._nats.connections:
                heed()
                if not await self._carry(publisher, at):
                    await self._note_acknowledged()
                    await self._alarm.sleep(POLL_SECONDS)
        finally:
            await publisher.close()

    async def _begin(self) -> At:
        """Where to go on: behind the stream's last copy, or what the agency has acknowledged."""
        js = self._nats.jetstream()
        log_id = await self._store.log_id()
        known = await SQL.progress(self._pool, agency=self.agency)
        if known is None or known["log_id"] != log_id:
            if await streams.find(js, self._stream) is not None and known is not None:
                await js.delete_stream(self._stream)
            await SQL.begin(self._pool, agency=self.agency, log_id=log_id)
            known = await SQL.progress(self._pool, agency=self.agency)
        await agencies.declare(js, self.agency, known["acknowledged_sequence"] + 1)
        info = await js.stream_info(self._stream)
        if not info.state.messages:
            place = known["acknowledged_position"], known["acknowledged_index"]
            return At(place, info.state.last_seq, max(0, place[0] - 1), log_id)
        place = await self._place_of(info.state.last_seq)
        intact = info.state.last_seq == known["sequence"]
        read = max(known["position"], place[0] - 1) if intact else place[0] - 1
        return At(place, info.state.last_seq, read, log_id)

    async def _place_of(self, sequence: int) -> tuple[int, int]:
        message = await self._nats.jetstream().get_msg(self._stream, sequence)
        position, _, index = (message.headers or {})[HEADER].partition(".")
        return int(position), int(index)

    async def _carry(self, publisher: Publisher, at: At) -> bool:
        """A page of the log; whether there was anything in it. Raises OtherLog."""
        events = await self._store.read_all(at.read, PAGE)
        if await self._store.log_id() != at.log_id:
            raise OtherLog("the log was restored: its copies begin anew")
        if not events:
            return False
        new = [c for c in await copies(self._store, self.agency, events) if c.place > at.place]
        for start in range(0, len(new), RUN):
            run = new[start : start + RUN]
            await publisher.publish(self._outgoing(run, at.sequence, at.log_id))
            at.place, at.sequence = run[-1].place, at.sequence + len(run)
        at.read = events[-1].position
        await SQL.advance(self._pool, agency=self.agency, sequence=at.sequence, position=at.read)
        return True

    def _outgoing(self, run: Sequence[Copy], sequence: int, log_id: UUID) -> list[Outgoing]:
        return [
            Outgoing(
                sequence + number,
                subjects.agency_subject(
                    self.agency,
                    subjects.subject_of(copy.event.type, cloudevents.region_of(copy.event.meta)),
                ),
                cloudevents.encode(copy.event, log_id, self._source)
                + f"{HEADER}: {copy.position}.{copy.index}\r\n".encode(),
                copy.event.data,
            )
            for number, copy in enumerate(run, 1)
        ]

    async def _note_acknowledged(self) -> None:
        """Keeps in Postgres what the agency has acknowledged, now and then."""
        now = asyncio.get_running_loop().time()
        if now - self._noted < ACKNOWLEDGE_SECONDS:
            return
        self._noted = now
        info = await self._nats.jetstream().consumer_info(self._stream, consumer_name(self.agency))
        floor = info.ack_floor.stream_seq
        known = await SQL.progress(self._pool, agency=self.agency)
        if floor <= known["acknowledged_sequence"]:
            return
        try:
            position, index = await self._place_of(floor)
        except NotFoundError:  # older than the stream's window
            return
        await SQL.acknowledged(
            self._pool, agency=self.agency, sequence=floor, position=position, index=index
        )
