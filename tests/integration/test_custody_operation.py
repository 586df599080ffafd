"""Custody over HTTP: the way of the boxes, mishaps that it finds by itself, what readers see."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from custody_service import CITY, DISTRICT, VILLAGE, Custody, Station, at_work

from shared.testing.bus import Bus
from shared.testing.fixtures import PostgresForTests
from shared.testing.provision import Database

FIRST, SECOND, THIRD = Station(1), Station(2), Station(3)


@pytest.fixture
def others(postgres: PostgresForTests) -> Iterator[Database]:
    made = postgres.create()
    yield made
    postgres.drop(made)


@pytest.fixture
async def custody(bus: Bus, database: Database, others: Database) -> AsyncIterator[Custody]:
    async with at_work(bus, database, others) as made:
        yield made


async def incidents(custody: Custody) -> set[tuple[str, str]]:
    rows = await custody.items("/incidents")
    return {(row["kind"], row["unit"] or row["tps"]) for row in rows}


async def test_boxes_go_out_and_come_back_with_every_hand_over_accounted_for(
    custody: Custody,
) -> None:
    await custody.prepare(FIRST, SECOND)
    await custody.bring(FIRST, SECOND)
    seals = [
        {
            "name": "reseal-units",
            "place": station.tps,
            "seals": [
                {"unit": unit, "seal": seal}
                for unit, seal in zip(station.boxes, station.seals("N"), strict=True)
            ],
        }
        for station in (FIRST, SECOND)
    ]
    await custody.all(seals, "KPPS")
    await custody.all([station.plan("RET") for station in (FIRST, SECOND)])
    await custody.all([station.depart("RET") for station in (FIRST, SECOND)], "KPPS")
    for leg, (giver, receiver) in enumerate(
        [("KPPS", "PPS"), ("PPS", "PPK"), ("PPK", "KPU")], start=1
    ):
        back = {"units": FIRST.states("N"), "consignment": f"RET-{FIRST.tps}"}
        await custody.all([FIRST.give(leg, **back)], giver)
        await custody.all([FIRST.receive(leg, **back)], receiver)

    assert await custody.items("/incidents") == []
    summary = await custody.get("/summary")
    assert (summary["units"], summary["unbroken"], summary["broken"]) == (8, 8, 0)
    assert summary["by_custodian_kind"] == {"KPU": 4, "KPPS": 4}
    assert summary["consignments"] == {"delivered": 3, "departed": 1}

    life = await custody.get(f"/units/{FIRST.boxes[0]}/timeline")
    facts = [event["type"].split(".")[1] for event in life["events"]]
    assert facts.count("unit-handed-over") == 6
    assert facts.count("unit-sealed") == 2
    assert (facts.count("unit-loaded"), facts[0]) == (2, "unit-registered")
    assert life["events"][0]["actor"] == "custody"
    assert {event["agency"] for event in life["events"][4:]} <= {"KPU", "PPK", "PPS", "KPPS"}
    assert life["gaps"] == []
    assert (life["unit"]["custodian"], life["unit"]["state"]) == (f"KPU-{CITY}", "delivered")

    roll = await custody.get("/seal-rolls/3171011001N")
    assert (roll["used"], roll["seals"][0]["unit"]) == (8, FIRST.boxes[0])


async def test_of_200_conflicting_hand_overs_exactly_one_wins(custody: Custody) -> None:
    await custody.prepare(FIRST)
    await custody.bring(FIRST, legs=0)
    await custody.all([FIRST.give(1)])
    body = {name: value for name, value in FIRST.receive(1).items() if name != "name"}
    answers = await asyncio.gather(
        *(
            custody.send("/commands/receive-hand-over", body, "PPK", person=f"p-{n}")
            for n in range(200)
        )
    )
    won = [body for status, body in answers if status == 201]
    lost = [body for status, body in answers if status == 409]
    assert (len(won), len(lost)) == (1, 199)
    assert {(body["status"], body["code"]) for body in lost} == {(409, "leg-not-due")}
    assert all(body["type"].startswith("urn:problem:kawal:") for body in lost)
    events = await custody.service.store.read_stream(f"unit-{FIRST.boxes[0]}")
    assert [event.type for event in events].count("custody.unit-handed-over.v1") == 1


async def test_a_lost_answer_is_repeated_and_not_decided_again(custody: Custody) -> None:
    await custody.prepare(FIRST)
    await custody.bring(FIRST, legs=0)
    first = await custody.command(FIRST.give(1), key="once")
    assert first[0] == 201
    assert await custody.command(FIRST.give(1), key="once") == first
    other = await custody.command(FIRST.give(1, units=FIRST.states()[:3]), key="once")
    assert (other[0], other[1]["status"]) == (422, 422)


async def test_every_mishap_on_the_way_is_found_with_its_subject(custody: Custody) -> None:
    await custody.prepare(FIRST, SECOND, THIRD)
    await custody.bring(FIRST, SECOND, THIRD, legs=0)
    box, other = FIRST.boxes[0], SECOND.boxes
    await custody.all([FIRST.give(1), SECOND.give(1), THIRD.give(1)])
    wrong = FIRST.states(seal=None, condition="damaged")
    wrong[1]["seal"] = "X"
    three = {"units": SECOND.states()[1:], "missing": [other[0]], "attended_by": []}
    await custody.all(
        [
            FIRST.receive(1, units=wrong),
            SECOND.receive(1, **three),
            THIRD.receive(1, occurred_at="2024-02-10T23:30:00+07:00"),
        ],
        "PPK",
    )
    seen = {"name": "scan-unit", "unit": other[1], "place": "BALAI-X", "office": f"PPK-{DISTRICT}"}
    assert (await custody.command(seen, "PPK"))[0] == 201
    assert await incidents(custody) == {
        ("seal-missing", box),
        ("damaged", box),
        ("seal-different", FIRST.boxes[1]),
        ("count-variance", SECOND.tps),
        ("supervisor-absent", SECOND.tps),
        ("outside-hours", THIRD.tps),
        ("unregistered-place", other[1]),
    }
    broken = {row["unit"] for row in await custody.items("/units", broken="true")}
    assert broken == {box, FIRST.boxes[1], other[0], other[1]}
    summary = await custody.get("/summary")
    assert (summary["units"], summary["unbroken"], summary["broken"]) == (12, 8, 4)
    assert summary["incidents"]["count-variance"] == 1
    assert [row["unit"] for row in await custody.items("/units", state="missing")] == [other[0]]
    life = await custody.get(f"/units/{box}/timeline")
    assert [gap["cause"] for gap in life["gaps"]] == ["seal-missing"]
    assert len(life["incidents"]) == 2

    found = (await custody.items("/incidents", kind="damaged"))[0]
    close = {"name": "close-incident", "incident": found["incident"], "remedy": "Kotak diganti"}
    assert (await custody.command(close))[0] == 201
    assert [row["kind"] for row in await custody.items("/incidents", status="closed")] == [
        "damaged"
    ]


async def test_a_stray_is_orphaned_recovered_and_goes_on(custody: Custody) -> None:
    await custody.prepare(FIRST, SECOND)
    await custody.bring(FIRST, legs=2)
    box, rest = FIRST.boxes[0], FIRST.states()[1:]
    scan = {"name": "scan-unit", "unit": box, "place": SECOND.tps, "office": f"KPPS-{SECOND.tps}"}
    assert (await custody.command(scan, "KPPS"))[0] == 201
    assert [row["unit"] for row in await custody.items("/units", state="orphan")] == [box]
    await custody.all([FIRST.give(3, units=rest)], "PPS")
    await custody.all([FIRST.receive(3, units=rest)], "KPPS")
    recover = {
        "name": "recover-unit",
        "unit": box,
        "giver": f"KPPS-{SECOND.tps}",
        "receiver": f"KPPS-{FIRST.tps}",
        "place": FIRST.tps,
        "seal": FIRST.states()[0]["seal"],
        "bast": "BAST-1",
    }
    assert (await custody.command(recover, "KPPS"))[0] == 201
    await custody.settle()  # what the giver lacked is accounted for: it has turned up
    assert await incidents(custody) == {("wrong-destination", box)}
    row = await custody.get(f"/units/{box}")
    assert (row["state"], row["custodian"], row["consignment"], row["broken"]) == (
        "delivered",
        f"KPPS-{FIRST.tps}",
        None,
        True,
    )
    gaps = (await custody.get(f"/units/{box}/timeline"))["gaps"]
    assert [(gap["cause"], gap["until"] is None) for gap in gaps] == [("wrong-destination", False)]
    await custody.all([FIRST.plan("RET")])


async def test_what_a_giver_lacks_and_nobody_has_seen_is_a_variance(custody: Custody) -> None:
    await custody.prepare(FIRST)
    await custody.bring(FIRST, legs=1)
    await custody.all([FIRST.give(2, units=FIRST.states()[1:])], "PPK")
    await custody.settle()
    assert await incidents(custody) == {("count-variance", FIRST.tps)}
    assert [row["unit"] for row in await custody.items("/units", state="missing")] == [
        FIRST.boxes[0]
    ]


async def test_leaving_early_is_refused_and_found_once(custody: Custody) -> None:
    await custody.prepare(FIRST)
    opens = {"release_from": "2024-02-12T05:00:00+07:00"}
    await custody.all([FIRST.plan(**opens)])
    for _ in range(2):
        status, problem = await custody.command(FIRST.depart())
        assert (status, problem["code"]) == (409, "early-release")
    assert await incidents(custody) == {("early-release", FIRST.tps)}
    [row] = await custody.items("/consignments", state="planned")
    assert (row["consignment"], row["leg"]) == (FIRST.out, 0)


async def test_exactly_the_stations_without_their_boxes_are_late(custody: Custody) -> None:
    await custody.prepare(FIRST, SECOND, THIRD)
    await custody.bring(FIRST, legs=3)
    await custody.bring(SECOND, legs=2)
    await custody.all([THIRD.plan()])
    await custody.move_clock("2024-02-13T20:59:59+07:00")
    assert await incidents(custody) == set()
    risk = await custody.get("/forecast", region=VILLAGE)
    assert [(row["tps"], row["reason"]) for row in risk["items"]] == [
        (SECOND.tps, "too-slow"),
        (THIRD.tps, "too-slow"),
    ]
    assert risk["deliveries"] == {"planned": 3, "delivered": 1, "late": 0}
    await custody.move_clock("2024-02-13T21:00:00+07:00")
    assert await incidents(custody) == {("late", SECOND.tps), ("late", THIRD.tps)}
    await custody.hand_over(3, SECOND, occurred_at="2024-02-13T20:00:00+07:00")
    await custody.move_clock("2024-02-14T05:00:00+07:00")
    assert len(await custody.items("/incidents")) == 2


async def test_readers_see_their_own_regions(custody: Custody) -> None:
    await custody.prepare(FIRST)
    await custody.bring(FIRST, legs=1)
    here, elsewhere = (DISTRICT,), ("31.72",)
    assert len((await custody.get("/units", regions=here))["items"]) == 4
    assert (await custody.get("/units", regions=elsewhere))["items"] == []
    assert len(await custody.items("/units", region=VILLAGE, tps=FIRST.tps)) == 4
    assert await custody.items("/units", region="31.72") == []
    status, problem = await custody.ask(f"/units/{FIRST.boxes[0]}", regions=elsewhere)
    assert (status, problem["status"]) == (403, 403)
    assert (await custody.ask(f"/consignments/{FIRST.out}", regions=elsewhere))[0] == 403
    assert (await custody.ask("/summary", regions=elsewhere, region=CITY))[0] == 403
    assert (await custody.get("/summary", regions=elsewhere))["units"] == 0
    assert (await custody.get("/summary", regions=here))["units"] == 4
    one = await custody.get(f"/consignments/{FIRST.out}", regions=here)
    assert (one["leg"], one["manifest"]["plate"], len(one["route"])) == (1, "B 9001 KPU", 4)
    assert (await custody.ask("/units", roles=("clock",)))[0] == 403


async def test_pages_follow_each_other_without_loss(custody: Custody) -> None:
    await custody.prepare(FIRST, SECOND)
    seen: list[str] = []
    more: dict[str, str] = {}
    while True:
        page = await custody.get("/units", limit=3, **more)
        seen += [row["unit"] for row in page["items"]]
        if page["next"] is None:
            break
        more = {"cursor": page["next"]}
    assert seen == sorted([*FIRST.boxes, *SECOND.boxes])


async def test_bad_input_ends_as_a_problem_with_nothing_stored(custody: Custody) -> None:
    await custody.prepare(FIRST)
    before = await custody.service.store.position()
    wrong = [
        (FIRST.plan(units=[]), 422),
        (FIRST.plan(units=["BOX-unknown"]), 404),
        (FIRST.plan(direction="sideways"), 422),
        (FIRST.plan(release_until="2024-02-01T00:00:00Z"), 422),
        (FIRST.plan(route=[FIRST.route[0], FIRST.route[1] | {"office": "nobody"}]), 422),
        (FIRST.plan(route=[FIRST.route[0], FIRST.route[1] | {"place": "BALAI-X"}]), 409),
        (FIRST.plan(tps="../../etc"), 422),
        (FIRST.depart(), 404),
        (FIRST.give(0), 422),
        (FIRST.give(1, units="all"), 422),
        (FIRST.receive(1, units=[{"unit": FIRST.boxes[0], "seal": "x" * 81}]), 422),
        ({"name": "scan-unit", "unit": "?", "place": "P", "office": "KPU-31"}, 422),
    ]
    for command, expected in wrong:
        status, problem = await custody.command(command)
        assert (status, problem["status"]) == (expected, expected), problem
    assert (await custody.command(FIRST.plan(), regions=("31.72",)))[0] == 403
    assert (await custody.command(FIRST.plan(), roles=("custodian",)))[0] == 403
    assert (await custody.ask("/units/BOX-unknown"))[0] == 404
    assert (await custody.ask("/seal-rolls/unknown"))[0] == 404
    assert (await custody.ask("/units", region="Jakarta"))[0] == 422
    assert await custody.service.store.position() == before
