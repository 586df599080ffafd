"""Inventory over HTTP, from the sites to the packed kits of a kelurahan."""

import asyncio
from collections import Counter
from hashlib import sha256
from uuid import uuid4

from inventory_service import at_work

from shared.contracts.base import canonical
from shared.contracts.custody import IncidentRaised
from shared.eventstore import Recorded
from shared.testing.bus import MemoryLog, entry

KELURAHAN = "31.01.01.1001"
SITE = "GUDANG-31.01"


def total_lines(stations) -> list[dict]:
    needed = Counter()
    for station in stations:
        for kind, count in station["ballots"].items():
            needed["surat-suara", f"{kind}.{station['dapil'][kind]}"] += count
        for item, count in station["items"].items():
            needed[item, ""] += count
    return [{"item": i, "variant": v, "quantity": n} for (i, v), n in needed.items()]


def delivered(lines, **changes) -> list[dict]:
    return [
        {"item": line["item"], "variant": line["variant"], "sent": line["quantity"]}
        | {"good": line["quantity"], "damaged": 0, "short": 0}
        | changes
        for line in lines
    ]


def kit(station: dict, **changes) -> dict:
    tps = station["tps"]
    boxes = [
        {
            "unit": f"BOX-{tps}-{kind.replace('_', '-')}",
            "contents": kind,
            "seal": f"{tps.replace('.', '').replace('-', '')}A{number:03}",
        }
        for number, kind in enumerate(station["ballots"])
    ]
    ballots = [
        {"kind": kind, "dapil": station["dapil"][kind], "count": count}
        for kind, count in station["ballots"].items()
    ]
    fields = {"boxes": boxes, "ballots": ballots, "items": station["items"]}
    return {"name": "pack-kit", "tps": tps, "site": SITE} | fields | changes


async def prepared(person) -> list[dict]:
    """The stations of a kelurahan whose materials have arrived at a ready site."""
    assert (await person.post("/imports/official", {"scope": [KELURAHAN]}))[0] == 200
    await person.ready_site(SITE, "31.01")
    stations = await person.items("/polling-stations", region=KELURAHAN, limit=5)
    lines = delivered(total_lines(stations))
    status, _ = await person.do("receive-delivery", document="SJ-1", site=SITE, lines=lines)
    assert status == 201
    return stations


async def draw(person, stations, **changes):
    fields = {
        "region": KELURAHAN,
        "site": SITE,
        "stations": [station["tps"] for station in stations],
        "lines": total_lines(stations),
    }
    return await person.do("draw-picking", **(fields | changes))


async def test_the_kits_of_a_kelurahan_are_drawn_packed_and_counted(bus, database):
    async with at_work(bus, database) as person:
        stations = await prepared(person)
        assert (await draw(person, stations))[0] == 201
        results = await person.all([kit(station) for station in stations])
        assert {each["status"] for each in results} == {201}
        totals = await person.get("/summary")
        assert totals["kits"] == {"packed": len(stations)}
        assert totals["findings"] == {"total": 0, "open": 0, "by_kind": {}}
        on_hand = await person.items("/stock", site=SITE)
        assert len(on_hand) == len(total_lines(stations))
        assert {row["good"] for row in on_hand} == {0}
        moves = await person.items("/stock/movements", site=SITE, item="tinta")
        assert [(row["fact"], row["good"]) for row in moves] == [
            ("received", 2 * len(stations)),
            ("issued", -2 * len(stations)),
        ]
        packed = await person.get(f"/kits/{stations[0]['tps']}")
        assert len(packed["boxes"]) == 4
        shown = await person.get(f"/polling-stations/{stations[0]['tps']}")
        assert (shown["drawn_at"], bool(shown["packed_at"])) == (SITE, True)
        again = await person.do(**kit(stations[0]))
        assert (again[0], again[1]["code"]) == (409, "already-packed")


async def test_swapped_and_missing_material_is_refused_recorded_and_then_put_right(bus, database):
    async with at_work(bus, database) as person:
        stations = await prepared(person)
        await draw(person, stations)
        station = stations[0]
        swapped = kit(station)
        swapped["ballots"][1]["dapil"] = "JAWA-BARAT-1"
        status, problem = await person.post(
            "/commands/pack-kit", without_name(swapped), key="swapped"
        )
        assert (status, problem["code"]) == (409, "wrong-ballots")
        replay = await person.post("/commands/pack-kit", without_name(swapped), key="swapped")
        assert replay[1]["detail"] == problem["detail"]
        lacking = kit(station, items=station["items"] | {"alat-bantu-tunanetra": 0})
        assert (await person.do(**lacking))[1]["lacking"] == {"alat-bantu-tunanetra": 1}
        rows = await person.items("/findings", status="open")
        assert {(row["kind"], row["tps"]) for row in rows} == {
            ("swapped-ballots", station["tps"]),
            ("kit-incomplete", station["tps"]),
        }
        assert (await person.do(**kit(station)))[0] == 201
        assert await person.items("/findings", status="open") == []
        assert len(await person.items("/findings", kind="swapped-ballots")) == 1


def without_name(command: dict) -> dict:
    return {key: value for key, value in command.items() if key != "name"}


async def test_many_who_draw_at_once_never_make_the_stock_negative(bus, database):
    async with at_work(bus, database) as person:
        stations = await prepared(person)
        # What the smallest needs: in whatever order they draw, it is the last one that lacks it.
        smallest = min(stations, key=lambda station: sum(station["ballots"].values()))
        report = [
            {"name": "report-damage", "site": SITE, "note": "wet", **line}
            for line in total_lines([smallest])
        ]
        assert {each["status"] for each in await person.all(report)} == {201}
        answers = await asyncio.gather(*(draw(person, [station]) for station in stations))
        statuses = Counter(status for status, _ in answers)
        assert statuses == {201: len(stations) - 1, 409: 1}
        rows = await person.items("/stock", site=SITE)
        assert min(row["good"] for row in rows) >= 0
        codes = {body["code"] for status, body in answers if status == 409}
        assert codes == {"insufficient-stock"}


async def test_recapitulation_boxes_transfers_and_destruction(bus, database):
    async with at_work(bus, database) as person:
        await prepared(person)
        await person.ready_site("GUDANG-31.72", "31.72")
        lines = delivered([{"item": "kotak-rekapitulasi", "variant": "", "quantity": 5}])
        await person.do("receive-delivery", document="SJ-2", site=SITE, lines=lines)
        boxes = [
            {"unit": f"REKAP-31.01.01-{n}", "contents": "REKAP", "seal": f"310101A00{n}"}
            for n in (1, 2)
        ]
        pack = {"region": "31.01.01", "site": SITE, "boxes": boxes}
        assert (await person.do("pack-recap", **pack))[0] == 201
        move = {"site": SITE, "to_site": "GUDANG-31.72", "item": "kotak-rekapitulasi"}
        move |= {"quantity": 2, "document": "SJ-3"}
        assert (await person.do("transfer-stock", **move))[0] == 201
        assert (await person.do("transfer-stock", **move))[1]["code"] == "insufficient-stock"
        destroy = {"site": SITE, "item": "kotak-rekapitulasi", "good": 1, "record_number": "85"}
        present = ["BAWASLU-DKI", "POLDA-METRO-JAYA"]
        _, problem = await person.do("destroy-stock", **destroy, witnesses=present)
        assert (problem["code"], problem["missing"]) == ("witnesses-missing", ["KEJA"])
        present.append("KEJATI-DKI")
        assert (await person.do("destroy-stock", **destroy, witnesses=present))[0] == 201
        rows = await person.items("/stock", item="kotak-rekapitulasi")
        assert {row["site"]: row["good"] for row in rows} == {SITE: 0, "GUDANG-31.72": 2}
        [listed] = await person.items("/destructions")
        assert (listed["site"], listed["record_number"], listed["good"]) == (SITE, "85", 1)


async def test_a_destruction_has_a_numbered_record_that_anybody_can_verify(bus, database):
    async with at_work(bus, database) as person:
        await prepared(person)
        present = ["BAWASLU-DKI", "POLDA-METRO-JAYA", "KODAM-JAYA", "KEJATI-DKI"]
        number = "85/PR.05-BA/3171/4/2024"
        two = (await person.items("/stock", site=SITE))[:2]
        same = {"name": "destroy-stock", "record_number": number, "witnesses": present}
        ledgers = [{key: row[key] for key in ("site", "item", "variant")} for row in two]
        results = await person.all([{**same, **each, "good": 1} for each in ledgers])
        assert {each["status"] for each in results} == {201}
        path, asked = "/destructions/record.pdf", {"site": SITE, "record_number": number}
        status, content = await person.pdf(path, **asked)
        assert status == 200 and content.startswith(b"%PDF-")
        assert await person.pdf(path, **asked) == (200, content)
        digest = sha256(content).hexdigest()
        async with person.client.get(f"/verify/{digest}") as answer:
            found = await answer.json()
        assert (found["issued"], found["number"]) == (True, number)
        assert (await person.pdf(path, site=SITE, record_number="86"))[0] == 404
        elsewhere = person.acting("operator", regions=("32",))
        assert (await elsewhere.pdf(path, **asked))[0] == 403
        assert await elsewhere.items("/destructions") == []


async def test_the_readiness_of_sites_and_the_95_percent(bus, database):
    async with at_work(bus, database) as person:
        for number in range(19):
            await person.ready_site(f"PPS-{number}", "31.71")
        late = {"site": "PPS-LATE", "region": "31.71.01", "site_name": "Aula", "owner": "Pemprov"}
        late |= {"function": "village-post", "address": "Jalan", "latitude_udeg": 0}
        late |= {"longitude_udeg": 0, "capacity_m2": 1, "cctv": False, "unchanged": False}
        assert (await person.do("propose-site", **late))[0] == 201
        sites = (await person.get("/summary"))["sites"]
        assert (sites["total"], sites["ready"], sites["pending"]) == (20, 19, 1)
        assert (sites["unchanged_pct"], sites["ready_pct"]) == (95.0, 95.0)
        await person.do("reject-site", site="PPS-LATE", reason="too small")
        await person.do("inspect-site", site="PPS-0", hazard="leak", note="roof")
        [row] = await person.items("/sites", state="rejected")
        assert (row["site"], row["reason"]) == ("PPS-LATE", "too small")
        shown = await person.get("/sites/PPS-0")
        assert (shown["inspections"][0]["hazard"], shown["gaps"]) == ("leak", [])
        assert (await person.get("/summary"))["sites"]["rejected"] == 1
        assert len(await person.items("/sites", region="31.71", limit=7)) == 20


async def test_others_see_and_change_only_what_their_region_holds(bus, database):
    async with at_work(bus, database) as person:
        await prepared(person)
        stranger = person.acting("operator", regions=("31.72",))
        assert await stranger.items("/polling-stations") == []
        assert (await stranger.get("/summary"))["tps"] == 0
        assert (await stranger.ask(f"/sites/{SITE}"))[0] == 403
        assert (await stranger.ask(f"/polling-stations/{KELURAHAN}-001"))[0] == 403
        assert (await stranger.do("reject-site", site=SITE, reason="mine"))[0] == 403
        reader = person.acting("auditor")
        assert (await reader.do("reject-site", site=SITE, reason="mine"))[0] == 403
        assert (await reader.ask(f"/sites/{SITE}"))[0] == 200


ABSENT = {
    "/sites/NOWHERE": 404,
    "/kits/31.71.01.1001-001": 404,
    "/polling-stations/31.71.01.1001-001": 404,
    "/polling-stations/nonsense": 422,
    "/polling-stations?region=31.7": 422,
    "/polling-stations?cursor=%00": 400,
    "/polling-stations?limit=0": 422,
    "/findings?kind=unknown": 422,
    "/stock?site=a%00b": 400,
    "/stock/movements?site=NOWHERE&item=tinta": 404,
    "/stock/movements?site=NOWHERE": 422,
    "/rules": 404,
}


async def test_a_query_for_what_is_not_there_is_a_clear_problem(bus, database):
    async with at_work(bus, database) as person:
        for path, status in ABSENT.items():
            found, problem = await person.ask(path)
            assert (found, problem["status"]) == (status, status), path


async def test_bad_commands_end_as_problems_and_nothing_is_stored(bus, database):
    async with at_work(bus, database) as person:
        bad = [
            ("receive-delivery", {"document": "x", "site": "S", "lines": []}),
            ("receive-delivery", {"document": "x", "site": "S" * 61, "lines": [{}]}),
            ("pack-kit", {"tps": "x"}),
            ("propose-site", {"site": "S", "region": "3171"}),
            ("sort-stock", {"site": "S", "item": "i", "sorted": 2**60, "damaged": 0, "short": 0}),
            ("report-hazard", {"hazard": "flood", "note": "x"}),
        ]
        for name, fields in bad:
            assert (await person.do(name, **fields))[0] == 422, name
        line = {"item": "tinta", "sent": 1, "good": 1, "damaged": 0, "short": 0}
        unknown = {"document": "x", "site": "NOWHERE", "lines": [line]}
        assert (await person.do("receive-delivery", **unknown))[0] == 404
        assert (await person.get("/positions"))["store"] == 0


def damaged(position: int, unit: str) -> Recorded:
    fact = IncidentRaised(
        region="31.71.01.1001",
        incident=f"damaged.{unit}.OUT-1.1",
        incident_kind="damaged",
        unit=unit,
        detail="rain",
    )
    made = entry(position, canonical(fact.model_dump(exclude_none=True)), region=fact.region)
    made.id, made.type, made.stream = uuid4(), fact.type, fact.stream
    return made


async def test_what_custody_finds_damaged_is_to_be_replaced_once(bus, database):
    bus.config = bus.server.simple_config("test", "secret").replace("4GB", "16GB")
    bus.restart()  # with room for the streams of two services
    log = MemoryLog(entries=[damaged(1, "BOX-1"), damaged(2, "BOX-2")])
    async with at_work(bus, database) as person, bus.relaying(log):
        async with asyncio.timeout(15):
            while (await person.get("/positions"))["store"] < 2:
                await asyncio.sleep(0.05)
        await person.ready_site(SITE, "31.01")
        rows = await person.items("/replacements")
        assert [(row["replacement"], row["cause"]) for row in rows] == [
            ("R-BOX-1", "damaged.BOX-1.OUT-1.1"),
            ("R-BOX-2", "damaged.BOX-2.OUT-1.1"),
        ]
        supply = {"replacement": "R-BOX-1", "from_site": SITE}
        assert (await person.do("supply-replacement", **supply))[0] == 201
        assert (await person.do("supply-replacement", **supply))[1]["code"] == "wrong-state"
        rows = await person.items("/replacements")
        assert [row["from_site"] for row in rows] == [SITE, None]
