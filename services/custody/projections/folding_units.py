"""What a batch of events changes of the units: at most one row for each."""

from collections.abc import Callable
from typing import Any

import asyncpg

from services.custody.projections.writes import SQL
from shared.contracts import custody

STATE, CUSTODIAN, PLACE, SEAL, CONSIGNMENT, DAMAGED, REGION, POSITION = range(8)
NONE = ""
"""On no consignment; None would keep the one that is there."""

REST, BACK = "rest", "back"
"""States that depend on the state before, where that is not in the batch: see the SQL."""

NEW = (
    *("unit", "kind", "contents", "home", "tps", "state", "custodian", "place", "seal"),
    *("consignment", "damaged", "position"),
)

Fact = dict[str, Any]


class UnitChanges:
    """New units, and what became of these and others; `write` says it to the database."""

    def __init__(self) -> None:
        self._new: dict[str, Fact] = {}
        self._changes: dict[str, list[Any]] = {}
        self._more_regions: list[tuple[str, str]] = []

    def __len__(self) -> int:
        return len(self._changes) + len(self._more_regions)

    def of(self, unit: str, position: int) -> list[Any]:
        row = self._changes.get(unit)
        if row is None:
            row = self._changes[unit] = [None] * 8
        row[POSITION] = position
        return row

    def begin(self, fact: Fact) -> None:
        self._new[fact["unit"]] = fact

    def seen_in(self, unit: str, row: list[Any], region: str) -> None:
        if row[REGION] not in (None, region):
            self._more_regions.append((unit, row[REGION]))
        row[REGION] = region

    async def write(self, connection: asyncpg.Connection) -> None:
        if self._new:
            await self._insert(connection)
        if self._changes:
            await self._update(connection)
        if self._more_regions:
            units, regions = map(list, zip(*self._more_regions, strict=True))
            await SQL.add_regions(connection, units=units, regions=regions)

    async def _insert(self, connection: asyncpg.Connection) -> None:
        """With what the same batch made of them; only their regions are left to update."""
        rows = []
        for unit, fact in self._new.items():
            row = self._changes.pop(unit)
            if not fact["home"].startswith(row[REGION]):
                self._more_regions.append((unit, row[REGION]))
            rows.append(_row(fact, row))
        await connection.copy_records_to_table("unit", columns=NEW, records=rows)

    async def _update(self, connection: asyncpg.Connection) -> None:
        states, custodians, places, seals, consignments, damaged, regions, positions = zip(
            *self._changes.values(), strict=True
        )
        await SQL.change_units(
            connection,
            units=list(self._changes),
            states=states,
            custodians=custodians,
            places=places,
            seals=seals,
            consignments=consignments,
            damaged=damaged,
            regions=regions,
            positions=positions,
        )


def _row(fact: Fact, row: list[Any]) -> tuple[Any, ...]:
    return (
        *(fact["unit"], fact["unit_kind"], fact["contents"], fact["home"], fact.get("tps")),
        *(row[STATE], row[CUSTODIAN], row[PLACE], row[SEAL], row[CONSIGNMENT] or None),
        *(row[DAMAGED], row[POSITION]),
    )


def registered(changes: UnitChanges, fact: Fact, position: int) -> None:
    changes.begin(fact)
    row = changes.of(fact["unit"], position)
    row[STATE], row[CONSIGNMENT], row[DAMAGED] = "registered", NONE, False
    row[CUSTODIAN], row[PLACE], row[REGION] = fact["custodian"], fact["place"], fact["region"]


def sealed(changes: UnitChanges, fact: Fact, position: int) -> None:
    changes.of(fact["unit"], position)[SEAL] = fact["seal"]


def loaded(changes: UnitChanges, fact: Fact, position: int) -> None:
    row = changes.of(fact["unit"], position)
    row[STATE], row[CONSIGNMENT] = "loaded", fact["consignment"]


def handed_over(changes: UnitChanges, fact: Fact, position: int) -> None:
    unit = fact["unit"]
    row = changes.of(unit, position)
    if fact["final"]:
        row[STATE], row[CONSIGNMENT] = "delivered", NONE
    else:
        row[STATE] = "in-transit"
    row[CUSTODIAN], row[PLACE] = fact["receiver"], fact["place"]
    row[DAMAGED] = fact["condition"] == "damaged"
    changes.seen_in(unit, row, fact["region"])


def unloaded(changes: UnitChanges, fact: Fact, position: int) -> None:
    row = changes.of(fact["unit"], position)
    match row[STATE]:
        case None:
            row[STATE] = REST
        case "loaded":
            row[STATE] = "registered"
        case "in-transit" | "back":
            row[STATE] = "delivered"
    row[CONSIGNMENT] = NONE


def recovered(changes: UnitChanges, fact: Fact, position: int) -> None:
    row = changes.of(fact["unit"], position)
    if row[CONSIGNMENT] is None:
        row[STATE] = BACK
    else:
        row[STATE] = "in-transit" if row[CONSIGNMENT] else "delivered"
    row[CUSTODIAN], row[PLACE] = fact["receiver"], fact["place"]
    changes.seen_in(fact["unit"], row, fact["region"])


def orphaned(changes: UnitChanges, fact: Fact, position: int) -> None:
    _turned_up(changes, fact, position, "orphan")


def found(changes: UnitChanges, fact: Fact, position: int) -> None:
    _turned_up(changes, fact, position, "found")


def _turned_up(changes: UnitChanges, fact: Fact, position: int, state: str) -> None:
    row = changes.of(fact["unit"], position)
    row[STATE], row[CUSTODIAN], row[PLACE] = state, fact["office"], fact["place"]
    changes.seen_in(fact["unit"], row, fact["region"])


def scanned(changes: UnitChanges, fact: Fact, position: int) -> None:
    changes.seen_in(fact["unit"], changes.of(fact["unit"], position), fact["region"])


def missing(changes: UnitChanges, fact: Fact, position: int) -> None:
    row = changes.of(fact["unit"], position)
    row[STATE], row[CONSIGNMENT] = "missing", NONE


def voided(changes: UnitChanges, fact: Fact, position: int) -> None:
    row = changes.of(fact["unit"], position)
    row[STATE], row[CONSIGNMENT] = "voided", NONE


FOLD: dict[str, Callable[[UnitChanges, Fact, int], None]] = {
    custody.UnitRegistered.type: registered,
    custody.UnitSealed.type: sealed,
    custody.UnitLoaded.type: loaded,
    custody.UnitHandedOver.type: handed_over,
    custody.UnitUnloaded.type: unloaded,
    custody.UnitRecovered.type: recovered,
    custody.UnitOrphaned.type: orphaned,
    custody.UnitFound.type: found,
    custody.UnitScanned.type: scanned,
    custody.UnitMissing.type: missing,
    custody.UnitVoided.type: voided,
}
