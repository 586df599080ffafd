"""`TPS_FILE`: real counts of polling stations come before the apportioned official totals."""

import csv
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from demo_stack import Stack

from deploy.local.program import ROOT

REAL = ROOT.parent / "shared" / "data" / "dki_kelurahan.csv"
COLUMNS = [
    *("kode", "kelurahan", "kode_kecamatan", "kecamatan", "kode_kabkota", "kabkota", "lat", "lng"),
    *("tps_reguler", "tps_khusus", "tps_total", "dpt_2024_jika_diketahui"),
]


def row(code: str, regular: int, special: int) -> dict[str, Any]:
    return {
        "kode": code,
        "kelurahan": "Pulau",
        "kode_kecamatan": code[:8],
        "kode_kabkota": code[:5],
        "tps_reguler": regular,
        "tps_khusus": special,
        "tps_total": regular + special,
    }


def write(path: Path, *rows: dict[str, Any]) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, restval="")
        writer.writeheader()
        writer.writerows(rows)
    return path


def registered(stack: Stack) -> tuple[Counter[str], Counter[str]]:
    """Regular and special stations by kelurahan; special ones are numbered from 901."""
    rows = stack.get("inventory", "/polling-stations", region="31", limit=1000)["items"]
    stations = [row["tps"].rpartition("-") for row in rows]
    regular = Counter(code for code, _, number in stations if int(number) < 901)
    special = Counter(code for code, _, number in stations if int(number) >= 901)
    return regular, special


def test_a_file_of_counts_is_followed(stack: Stack, tmp_path: Path) -> None:
    inside = [row("31.01.02.1001", 5, 0), row("31.01.02.1002", 3, 2)]
    file = write(tmp_path / "counts.csv", *inside, row("31.01.01.1001", 9, 0))
    with stack.playing("SCOPE=31.01.02", f"TPS_FILE={file}", "MISHAPS=none"):
        regular, special = registered(stack)
    assert regular == {"31.01.02.1001": 5, "31.01.02.1002": 3}
    assert special == {"31.01.02.1002": 2}
    figures = stack.figures()
    assert (figures["tps"], figures["kelurahan"], figures["boxes"]) == (10, 2, 10 * 4 + 2)


@pytest.mark.skipif(not REAL.is_file(), reason="the file of real counts is not here")
def test_the_real_counts_are_followed(stack: Stack) -> None:
    with REAL.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["kode_kabkota"] == "31.01"]
    with stack.playing("SCOPE=31.01", f"TPS_FILE={REAL}"):
        regular, special = registered(stack)
    for each in rows:
        assert regular[each["kode"]] == int(each["tps_reguler"]), each
        assert special[each["kode"]] == int(each["tps_khusus"]), each
    assert stack.figures()["tps"] == sum(int(each["tps_total"]) for each in rows)


def test_a_bad_row_ends_the_demo_with_a_line_that_names_it(stack: Stack, tmp_path: Path) -> None:
    bad = row("31.01.02.1002", 3, 0) | {"tps_reguler": "many"}
    file = write(tmp_path / "counts.csv", row("31.01.02.1001", 5, 0), bad)
    done = stack.kawal("demo", "--once", "--scope", "31.01.02", "--tps-file", str(file))
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert "Row 3" in done.stderr and "tps_reguler" in done.stderr
