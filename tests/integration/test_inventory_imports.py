"""Imports over HTTP: the official totals apportioned, and files of real counts."""

import asyncio
import csv
from collections import Counter
from pathlib import Path

import pytest
from inventory_service import ISSUER, at_work
from typer.testing import CliRunner

from services.inventory.cli import app
from shared.cli.app import Failure

REAL = Path(__file__).parents[3] / "shared" / "data" / "dki_kelurahan.csv"
HEADER = "kode,kelurahan,tps_reguler,tps_khusus,tps_total,dpt_2024_jika_diketahui\n"
PULAU = "31.01.01.1001,Pulau Panggang,18,2,20,5000\n"

OFFICIAL = {"31.01": 88, "31.71": 3129, "31.72": 4853, "31.73": 7169, "31.74": 6715, "31.75": 8812}
BALLOTS = 33_747_852


async def stations_by(person, level: int) -> Counter[str]:
    rows = await person.items("/polling-stations", limit=2000)
    return Counter(".".join(row["region"].split(".")[:level]) for row in rows)


async def check_totals(person) -> None:
    totals = await person.get("/summary")
    assert (totals["tps"], totals["kelurahan"], totals["kecamatan"]) == (30_766, 267, 44)
    assert (totals["voters"], totals["boxes"]) == (8_252_897, 123_152)
    assert abs(totals["ballots"] - BALLOTS) <= BALLOTS / 1000
    assert await stations_by(person, 2) == OFFICIAL


async def test_the_official_totals_of_dki_are_apportioned_to_its_kelurahan(bus, database):
    async with at_work(bus, database) as person:
        status, answer = await person.post("/imports/official", {"scope": ["31"]})
        assert status == 200
        assert (answer["regions"], answer["polling_stations"]) == (318, 30_766)
        await check_totals(person)
        [row] = (await person.get("/polling-stations", limit=1))["items"]
        assert (row["source"], row["dapil"]["DPR"]) == ("apportioned", "DKI-III")


@pytest.mark.skipif(not REAL.exists(), reason="the file of real counts is not here")
async def test_a_file_of_real_counts_gives_each_kelurahan_its_number_of_stations(bus, database):
    async with at_work(bus, database) as person:
        body = REAL.read_bytes()
        status, answer = await person.post("/imports/polling-stations", body)
        assert (status, answer["polling_stations"]) == (200, 30_766)
        await check_totals(person)
        with REAL.open(encoding="utf-8", newline="") as file:
            real = {row["kode"]: int(row["tps_total"]) for row in csv.DictReader(file)}
        assert await stations_by(person, 4) == real
        again = await person.post("/imports/official", {"scope": ["31.01"]})
        assert again[1]["polling_stations"] == 0


async def test_a_part_of_a_city_gets_its_share_and_a_repeat_changes_nothing(bus, database):
    async with at_work(bus, database) as person:
        scope = {"scope": ["31.71.01.1001", "31.01"]}
        status, first = await person.post("/imports/official", scope)
        assert status == 200
        events = (await person.get("/positions"))["store"]
        totals = await person.get("/summary")
        assert (totals["kelurahan"], totals["tps"]) == (7, first["polling_stations"])
        assert (await person.get("/summary", region="31.01"))["tps"] == 88
        status, again = await person.post("/imports/official", scope)
        assert (status, again["polling_stations"]) == (200, first["polling_stations"])
        assert (await person.get("/positions"))["store"] == events
        names = [row["name"] for row in await person.items("/regions", parent="31.71.01")]
        assert names == ["Gambir"]


async def test_what_an_operator_changed_in_the_catalogue_survives_an_import(bus, database):
    async with at_work(bus, database) as person:
        await person.post("/imports/official", {"scope": ["31.71.01.1001"]})
        await person.do("retire-item", region="31", item="karet", reason="not used")
        await person.do("set-rules", region="31", reserve_permille=25)
        await person.get("/items")
        await person.post("/imports/official", {"scope": ["31.71.01.1002"]})
        items = {row["item"]: row["retired"] for row in await person.items("/items")}
        assert items["karet"] == "not used"
        assert (await person.get("/rules"))["reserve_permille"] == 25
        [row] = (await person.get("/polling-stations", region="31.71.01.1002", limit=1))["items"]
        assert "karet" not in row["items"]


BAD = [
    (PULAU + "31.01.01.9999,Nowhere,1,0,1,200\n", 3, "kode"),
    (PULAU + PULAU, 3, "kode"),
    ("31.01.01.1001,Pulau Panggang,many,0,18,5000\n", 2, "tps_reguler"),
    ("31.01.01.1001,Pulau Panggang,18,-1,18,5000\n", 2, "tps_khusus"),
    ("31.01.01.1001,Pulau Panggang,18,2,21,5000\n", 2, "tps_total"),
    ("31.01.01.1001,Pulau Panggang,18,2,20,6001\n", 2, "dpt_2024_jika_diketahui"),
    ("32.04.05.2001,Elsewhere,18,2,20,\n", 2, "dpt_2024_jika_diketahui"),
    ("31.01.01.1001,Pulau,18,2,20,5000,7\n", 2, ""),
    ("", 2, "kode"),
]


async def test_a_bad_row_is_named_and_nothing_is_stored(bus, database):
    async with at_work(bus, database) as person:
        for rows, row, column in BAD:
            body = (HEADER + rows).encode()
            status, problem = await person.post("/imports/polling-stations", body)
            assert (status, problem["code"]) == (422, "bad-file")
            assert (problem["errors"][0]["row"], problem["errors"][0]["column"]) == (row, column)
        assert (await person.get("/positions"))["store"] == 0


async def test_what_is_no_such_file_or_scope_is_a_clear_problem(bus, database):
    async with at_work(bus, database) as person:
        good = (HEADER + PULAU).encode()
        files = "/imports/polling-stations"
        for body in (b"\xff\xfe", b"kode\n", b'kode,tps_reguler,tps_khusus\n"'):
            assert (await person.post(files, body))[1]["code"] == "bad-file"
        assert (await person.post(files, good, scope="31.71"))[1]["code"] == "bad-file"
        assert (await person.post(files, good, scope="x"))[0] == 422
        assert (await person.post(files, {"no": "csv"}))[0] == 415
        official = "/imports/official"
        assert (await person.post(official, {"scope": []}))[0] == 422
        assert (await person.post(official, {"scope": ["31.99"]}))[1]["code"] == "unknown-region"
        stranger = person.acting("operator", regions=("31.72", "32"))
        assert (await stranger.post(official, {"scope": ["31.71"]}))[0] == 403
        assert (await stranger.post(files, good))[0] == 403
        assert (await stranger.post(official, {"scope": ["32.04"]}))[1]["code"] == "no-figures"
        reader = person.acting("auditor")
        assert (await reader.post(official, {"scope": ["31.71"]}))[0] == 403
        assert (await person.get("/positions"))["store"] == 0


async def test_a_file_numbers_special_stations_from_901_and_takes_no_station_away(bus, database):
    async with at_work(bus, database) as person:
        files = "/imports/polling-stations"
        assert (await person.post(files, (HEADER + PULAU).encode()))[0] == 200
        rows = await person.items("/polling-stations")
        assert [row["number"] for row in rows] == [*range(1, 19), 901, 902]
        assert sum(row["voters"] for row in rows) == 5000
        fewer = PULAU.replace(",18,2,20,", ",17,2,19,")
        status, problem = await person.post(files, (HEADER + fewer).encode())
        assert (status, problem["code"]) == (409, "other-counts")
        assert problem["polling_stations"] == ["31.01.01.1001-018"]
        more = PULAU.replace(",18,2,20,5000", ",19,2,21,5400")
        assert (await person.post(files, (HEADER + more).encode()))[0] == 200
        totals = await person.get("/summary")
        assert (totals["tps"], totals["voters"]) == (21, 5400)


async def test_files_and_totals_are_imported_from_the_command_line(bus, database, tmp_path):
    file = tmp_path / "tps.csv"
    file.write_text(HEADER + PULAU, encoding="utf-8")
    async with at_work(bus, database) as person:
        url = str(person.client._base_url).rstrip("/")
        asked = ["--url", url, "--token", ISSUER.token(["operator"], ["31"])]

        async def kawal(*words: str):
            return await asyncio.to_thread(CliRunner().invoke, app, [*words, *asked])

        done = await kawal("import", "tps", str(file))
        assert "4 regions and 20 polling stations" in done.output
        done = await kawal("import", "official", "--scope", "31.01.02")
        assert done.exit_code == 0
        refused = await kawal("import", "official", "--scope", "31.99")
        assert isinstance(refused.exception, Failure)
        assert "There is no region 31.99" in str(refused.exception)
        absent = await kawal("import", "tps", str(tmp_path / "absent.csv"))
        assert isinstance(absent.exception, Failure)
