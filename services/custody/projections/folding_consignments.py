"""What a batch of events changes of the consignments: at most one row for each."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import asyncpg

from services.custody.projections.writes import SQL
from shared.contracts import custody

STATE, LEG, MISSING, UNLOADED, DEPARTED_AT, RECEIVED_AT, POSITION = range(7)

Fact = dict[str, Any]


class ConsignmentChanges:
    """New consignments, and what became of these and others."""

    def __init__(self) -> None:
        self._new: list[dict[str, Any]] = []
        self._changes: dict[str, list[Any]] = {}

    def __len__(self) -> int:
        return len(self._new) + len(self._changes)

    def of(self, fact: Fact, position: int) -> list[Any]:
        name = fact["consignment"]
        row = self._changes.get(name)
        if row is None:
            row = self._changes[name] = [None, None, 0, 0, None, None, None]
        row[POSITION] = position
        return row

    def begin(self, fact: Fact, position: int) -> None:
        self._new.append(_row(fact, position))

    async def write(self, connection: asyncpg.Connection) -> None:
        if self._new:
            await SQL.add_consignment(connection, self._new)
        if self._changes:
            await self._update(connection)

    async def _update(self, connection: asyncpg.Connection) -> None:
        states, legs, missing, unloaded, departed, received, positions = zip(
            *self._changes.values(), strict=True
        )
        await SQL.change_consignments(
            connection,
            consignments=list(self._changes),
            states=states,
            legs=legs,
            missing=missing,
            unloaded=unloaded,
            departed=departed,
            received=received,
            positions=positions,
        )


def _row(fact: Fact, position: int) -> dict[str, Any]:
    route = fact["route"]
    return {
        "consignment": fact["consignment"],
        "tps": fact.get("tps"),
        "direction": fact["direction"],
        "region": fact["region"],
        "regions": fact["route_regions"],
        "origin": route[0]["office"],
        "destination": route[-1]["office"],
        "legs": len(route) - 1,
        "units": len(fact["units"]),
        "release_from": datetime.fromisoformat(fact["release_from"]),
        "release_until": datetime.fromisoformat(fact["release_until"]),
        "position": position,
    }


def planned(changes: ConsignmentChanges, fact: Fact, position: int) -> None:
    changes.begin(fact, position)


def departed(changes: ConsignmentChanges, fact: Fact, position: int) -> None:
    row = changes.of(fact, position)
    row[STATE], row[DEPARTED_AT] = "departed", datetime.fromisoformat(fact["departed_at"])


def received(changes: ConsignmentChanges, fact: Fact, position: int) -> None:
    row = changes.of(fact, position)
    row[LEG] = fact["leg"]
    row[MISSING] += len(fact["missing"])
    if fact["final"]:
        row[STATE], row[RECEIVED_AT] = "delivered", datetime.fromisoformat(fact["received_at"])


def unloaded(changes: ConsignmentChanges, fact: Fact, position: int) -> None:
    changes.of(fact, position)[UNLOADED] += len(fact["units"])


def cancelled(changes: ConsignmentChanges, fact: Fact, position: int) -> None:
    changes.of(fact, position)[STATE] = "cancelled"


FOLD: dict[str, Callable[[ConsignmentChanges, Fact, int], None]] = {
    custody.ConsignmentPlanned.type: planned,
    custody.ConsignmentDeparted.type: departed,
    custody.HandOverReceived.type: received,
    custody.ConsignmentUnloaded.type: unloaded,
    custody.ConsignmentCancelled.type: cancelled,
}
