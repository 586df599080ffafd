"""The read model that every contender of the projection rows keeps: who holds which unit."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import aiosql
import asyncpg
import msgspec

from shared.bus.message import Message
from shared.contracts.base import canonical
from shared.eventstore import Metadata, uuid7
from shared.projection import Fold, Folding, Projection

HERE = Path(__file__).parent
SQL = aiosql.from_path(HERE / "holdings_writes.sql", "asyncpg", mandatory_parameters=False)

HANDED_OVER = "custody.unit-handed-over.v1"
REGION = "31.71.01.1001"
UNITS = 20_000
PAGE = 50_000
NOW = datetime(2024, 2, 13, 8, tzinfo=UTC)
MOST_ROWS = 50_000
HOLDER = ("unit", "holder", "place", "hand_overs")
EVENT = (
    *("position", "id", "stream_id", "version", "type", "recorded_at", "command_id"),
    *("data", "meta"),
)
SAVED = ("units", "holders", "places", "hand_overs")


class HandedOver(msgspec.Struct):
    """What the read model needs of a hand-over."""

    unit: str
    holder: str
    place: str


decode = msgspec.json.Decoder(HandedOver).decode


@dataclass
class Held(Fold):
    """Holder, place and number of hand-overs of each unit."""

    rows: dict[str, list[Any]] = field(default_factory=dict)

    @property
    def full(self) -> bool:
        return len(self.rows) >= MOST_ROWS

    def add(self, messages: Sequence[Message]) -> None:
        rows = self.rows
        for message in messages:
            fact = decode(message.data)
            row = rows.get(fact.unit)
            count = row[3] if row else 0
            rows[fact.unit] = [fact.unit, fact.holder, fact.place, count + 1]

    async def write(self, connection: asyncpg.Connection, *, empty: bool) -> None:
        if empty:
            rows = self.rows.values()
            await connection.copy_records_to_table("holder", columns=HOLDER, records=rows)
        else:
            columns = zip(*self.rows.values(), strict=True)
            await SQL.save(connection, **dict(zip(SAVED, columns, strict=True)))


class Holdings(Projection):
    """A unit's row as its last hand-over leaves it, and how many there were."""

    name: ClassVar[str] = "holdings"
    sources: ClassVar[tuple[str, ...]] = ("custody",)
    handles: ClassVar[frozenset[str]] = frozenset({HANDED_OVER})
    schema: ClassVar[Path] = HERE / "holdings.sql"

    async def apply(self, connection: asyncpg.Connection, messages: Sequence[Message]) -> None:
        held = Held()
        held.add(messages)
        await held.write(connection, empty=False)


class FoldedHoldings(Holdings, Folding):
    """The same, with a fold for its builds."""

    def fold(self) -> Fold:
        return Held()


def body(number: int) -> bytes:
    return canonical(
        {
            "unit": f"BOX-{number % UNITS:05}",
            "holder": f"PPS-31.71.01.{1001 + number % 6}",
            "place": f"GUDANG-31.71-{number % 50:02}",
            "seal": f"3171011001A{number % 1000:03}",
            "note": "x" * 200,
            "round": number // UNITS,
        }
    )


async def load(owner_dsn: str, events: int) -> None:
    """Put hand-overs into an empty event store by COPY: only their reading is measured."""
    meta = Metadata("person-1", "kpu", NOW).encode(REGION, (REGION,))
    connection = await asyncpg.connect(owner_dsn)
    try:
        for first in range(0, events, PAGE):
            numbers = range(first, min(first + PAGE, events))
            await connection.copy_records_to_table(
                "event",
                schema_name="eventstore",
                columns=EVENT,
                records=[_row(number, meta) for number in numbers],
            )
        await connection.execute("vacuum analyze eventstore.event")
    finally:
        await connection.close()


def _row(number: int, meta: bytes) -> tuple[object, ...]:
    stream, version = f"unit-BOX-{number % UNITS:05}", number // UNITS + 1
    written = (HANDED_OVER, NOW, uuid7(), body(number), meta)
    return number + 1, uuid7(), stream, version, *written
