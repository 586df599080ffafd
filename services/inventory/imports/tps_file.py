"""A file of real counts: one row per kelurahan, every bad cell named by row and column."""

import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from services.inventory.domain.apportion import largest_remainder
from services.inventory.domain.ids import FIRST_SPECIAL
from services.inventory.imports import geography, reference
from services.inventory.imports.counts import Count
from shared.errors import Invalid

CODE, REGULAR, SPECIAL, TOTAL = "kode", "tps_reguler", "tps_khusus", "tps_total"
VOTERS = "dpt_2024_jika_diketahui"
REQUIRED = (CODE, REGULAR, SPECIAL)
MOST_REGULAR = FIRST_SPECIAL - 1
MOST_SPECIAL = 999 - MOST_REGULAR
MOST_ERRORS = 50

_CODE = re.compile(r"[0-9]{2}\.[0-9]{2}\.[0-9]{2}\.[0-9]{4}")
_NUMBER = re.compile(r"[0-9]{1,7}")


class BadFile(Invalid):
    code = "bad-file"
    title = "The file cannot be imported"


@dataclass(slots=True)
class Row:
    line: int
    kelurahan: str
    regular: int
    special: int
    voters: int | None

    @property
    def stations(self) -> int:
        return self.regular + self.special


@dataclass(slots=True)
class Reading:
    """Rows read so far and what is wrong with the others; the header is row 1."""

    max_voters: int
    rows: dict[str, Row] = field(default_factory=dict)
    errors: list[dict[str, Any]] = field(default_factory=list)

    def wrong(self, row: int, column: str, detail: str) -> None:
        self.errors.append({"row": row, "column": column, "detail": detail})

    def number(self, row: int, cells: Mapping[str, Any], column: str, most: int) -> int | None:
        text = (cells.get(column) or "").strip()
        if _NUMBER.fullmatch(text) and int(text) <= most:
            return int(text)
        self.wrong(row, column, f"a number from 0 to {most} is expected, not {text[:40]!r}")
        return None


def read(body: bytes, max_voters: int) -> list[Count]:
    """The counts in a CSV file; `BadFile` names every bad cell and nothing is used."""
    table = _table(body)
    reading = Reading(max_voters)
    for number, cells in table:
        _read_row(reading, number, cells)
    if not reading.rows and not reading.errors:
        reading.wrong(2, CODE, "the file has no rows")
    if not reading.errors:
        voters = _voters(reading)
    if reading.errors:
        first = reading.errors[0]
        raise BadFile(
            f"Row {first['row']}, column {first['column']}: {first['detail']}.",
            errors=reading.errors[:MOST_ERRORS],
            error_count=len(reading.errors),
        )
    return [
        Count(row.kelurahan, row.regular, row.special, voters[row.kelurahan], "imported")
        for row in reading.rows.values()
    ]


def _table(body: bytes) -> list[tuple[int, dict[str, Any]]]:
    """The rows, each with the number of its line."""
    try:
        text = body.decode("utf-8-sig")
        reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        lacking = [name for name in REQUIRED if name not in (reader.fieldnames or ())]
        rows = [] if lacking else [(reader.line_num, cells) for cells in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadFile(f"This is not a CSV file in UTF-8: {error}.") from None
    if lacking:
        errors = [{"row": 1, "column": name, "detail": "no such column"} for name in lacking]
        raise BadFile(f"Row 1: no column {', '.join(lacking)}.", errors=errors)
    return rows


def _read_row(reading: Reading, number: int, cells: Mapping[str, Any]) -> None:
    if None in cells:
        reading.wrong(number, "", "more cells than the header has columns")
        return
    code = (cells[CODE] or "").strip()
    if not _CODE.fullmatch(code) or geography.name_of(code) is None:
        reading.wrong(number, CODE, f"{code[:40]!r} is not the code of a kelurahan")
        return
    if code in reading.rows:
        reading.wrong(number, CODE, f"{code} is there twice")
        return
    regular = reading.number(number, cells, REGULAR, MOST_REGULAR)
    special = reading.number(number, cells, SPECIAL, MOST_SPECIAL)
    if regular is None or special is None:
        return
    row = Row(number, code, regular, special, None)
    _check_total(reading, number, cells, row)
    _read_voters(reading, number, cells, row)
    reading.rows[code] = row


def _check_total(reading: Reading, number: int, cells: Mapping[str, Any], row: Row) -> None:
    if not (cells.get(TOTAL) or "").strip():
        return
    total = reading.number(number, cells, TOTAL, 999)
    if total is not None and total != row.stations:
        reading.wrong(number, TOTAL, f"{row.regular} + {row.special} is not {total}")


def _read_voters(reading: Reading, number: int, cells: Mapping[str, Any], row: Row) -> None:
    """Voters where they are known; otherwise the city's official figure must help."""
    if (cells.get(VOTERS) or "").strip():
        row.voters = reading.number(number, cells, VOTERS, reading.max_voters * row.stations)
    elif row.kelurahan[:5] not in reference.figures():
        reading.wrong(number, VOTERS, f"no voters given, nor a figure for {row.kelurahan[:5]}")


def _voters(reading: Reading) -> dict[str, int]:
    """Voters per kelurahan: as given, the rest of the city's figure by number of stations."""
    by_city: dict[str, list[Row]] = defaultdict(list)
    for row in reading.rows.values():
        by_city[row.kelurahan[:5]].append(row)
    found: dict[str, int] = {}
    for city, rows in by_city.items():
        found |= _voters_of_city(city, rows)
    for row in reading.rows.values():
        if found[row.kelurahan] > reading.max_voters * row.stations:
            reading.wrong(row.line, REGULAR, f"{found[row.kelurahan]} voters need more stations")
    return found


def _voters_of_city(city: str, rows: Iterable[Row]) -> dict[str, int]:
    rows = list(rows)
    given = {row.kelurahan: row.voters for row in rows if row.voters is not None}
    weights = {row.kelurahan: row.stations for row in rows if row.voters is None}
    if not weights:
        return given
    official = reference.figures()[city]
    present = sum(row.stations for row in rows)
    expected = official.voters * present // official.polling_stations
    return given | largest_remainder(max(0, expected - sum(given.values())), weights)
