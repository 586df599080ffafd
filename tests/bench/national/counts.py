"""The file of polling stations per kelurahan: read whole, and refused at its first bad cell."""

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.cli.app import Failure

CODE, NAME = "kode", "desa_kelurahan"
REGULAR, SPECIAL, TOTAL = "tps_reguler", "tps_khusus", "tps_total"
COLUMNS = (CODE, NAME, REGULAR, SPECIAL, TOTAL)
FIRST_SPECIAL = 901
MOST = {REGULAR: FIRST_SPECIAL - 1, SPECIAL: 999 - FIRST_SPECIAL + 1, TOTAL: 999}

_CODE = re.compile(r"[0-9]{2}\.[0-9]{2}\.[0-9]{2}\.[0-9]{4}")
_NUMBER = re.compile(r"[0-9]{1,3}")


@dataclass(frozen=True, slots=True)
class Kelurahan:
    """A kelurahan or desa and how many polling stations it has; special ones count from 901."""

    code: str
    name: str
    regular: int
    special: int

    @property
    def stations(self) -> int:
        return self.regular + self.special

    @property
    def numbers(self) -> list[int]:
        """The numbers of its polling stations."""
        special = range(FIRST_SPECIAL, FIRST_SPECIAL + self.special)
        return [*range(1, self.regular + 1), *special]


def read(file: Path) -> list[Kelurahan]:
    """The file's rows. Raises Failure, naming the row (the header is row 1) and the column."""
    rows: dict[str, Kelurahan] = {}
    try:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            table = csv.DictReader(opened, strict=True)
            for column in COLUMNS:
                if column not in (table.fieldnames or ()):
                    raise Failure(f"{file}: row 1 has no column {column}")
            for cells in table:
                row = _row(file, table.line_num, cells)
                if row.code in rows:
                    raise _wrong(file, table.line_num, CODE, f"{row.code} is there twice")
                rows[row.code] = row
    except OSError as error:
        raise Failure(f"{file} cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise Failure(f"{file} is not a CSV file in UTF-8: {error}") from None
    if not rows:
        raise _wrong(file, 2, CODE, "the file has no rows")
    return list(rows.values())


def _row(file: Path, line: int, cells: Mapping[str, Any]) -> Kelurahan:
    code, name = _text(cells, CODE), _text(cells, NAME)
    if not _CODE.fullmatch(code):
        raise _wrong(file, line, CODE, f"{code[:40]!r} is not the code of a kelurahan")
    if not 1 <= len(name) <= 200:
        raise _wrong(file, line, NAME, "a name of 1 to 200 characters is expected")
    regular, special, total = (_number(file, line, cells, each) for each in MOST)
    if regular + special != total:
        raise _wrong(file, line, TOTAL, f"{regular} + {special} is not {total}")
    return Kelurahan(code, name, regular, special)


def _number(file: Path, line: int, cells: Mapping[str, Any], column: str) -> int:
    text = _text(cells, column)
    if _NUMBER.fullmatch(text) and int(text) <= MOST[column]:
        return int(text)
    detail = f"a number from 0 to {MOST[column]} is expected, not {text[:40]!r}"
    raise _wrong(file, line, column, detail)


def _text(cells: Mapping[str, Any], column: str) -> str:
    return (cells.get(column) or "").strip()


def _wrong(file: Path, line: int, column: str, detail: str) -> Failure:
    return Failure(f"{file}: row {line}, column {column}: {detail}")
