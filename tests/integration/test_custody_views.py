"""The read models of custody: built anew they say the same, and a reader finds what it held."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from custody_service import CITY, DISTRICT, Custody, Station, at_work

from services.custody.domain.decider import CustodyDecider
from services.custody.projections import custody as view
from shared.contracts.base import decode
from shared.contracts.inventory import KitPacked, PackedBox, SiteReady, SiteRejected
from shared.projection import filling
from shared.testing.bus import Bus
from shared.testing.fixtures import PostgresForTests
from shared.testing.provision import Database

FIRST, SECOND, THIRD, FOURTH = (Station(number) for number in range(1, 5))
NEIGHBOUR = SiteReady(
    region="31.72",
    site="GUDANG-31.72",
    opens_on="2023-10-01",
    closes_on="2024-03-31",
    contact="person-8",
)


@pytest.fixture
def others(postgres: PostgresForTests) -> Iterator[Database]:
    made = postgres.create()
    yield made
    postgres.drop(made)


@pytest.fixture
async def custody(bus: Bus, database: Database, others: Database) -> AsyncIterator[Custody]:
    async with at_work(bus, database, others) as made:
        yield made


async def content(custody: Custody) -> dict[str, list[dict[str, Any]]]:
    """Everything that the read models say, the order of visited regions apart."""
    pool = custody.service.pool
    units = await pool.fetch("select * from custody.unit order by unit")
    consignments = await pool.fetch("select * from custody.consignment order by consignment")
    incidents = await pool.fetch("select * from custody.incident order by incident")
    places = await pool.fetch("select * from places.place order by place")
    return {
        "units": [dict(row) | {"elsewhere": sorted(row["elsewhere"])} for row in units],
        "consignments": [dict(row) for row in consignments],
        "incidents": [dict(row) for row in incidents],
        "places": [dict(row) for row in places],
    }


async def everything_that_can_happen(custody: Custody) -> None:
    """Strays, losses, replacements and give-ups, each in requests of their own."""
    await custody.prepare(FIRST, SECOND, THIRD, FOURTH)
    await custody.report(NEIGHBOUR)
    await custody.bring(FIRST, SECOND, legs=1)
    box, lost, dropped = FIRST.boxes[0], SECOND.boxes[0], SECOND.boxes[1]
    stray = {"name": "scan-unit", "unit": box, "place": NEIGHBOUR.site, "office": "KPU-31.72"}
    found = {"name": "report-found", "unit": lost, "place": "PPK-31.72.01", "office": "KPU-31.72"}
    await custody.all([stray])
    unload = {"name": "unload-units", "consignment": SECOND.out, "units": [dropped]}
    await custody.all([unload | {"reason": "Bocor"}])
    rest = SECOND.states()[2:]
    await custody.all([FIRST.give(2, units=FIRST.states()[1:])], "PPK")
    await custody.all([SECOND.give(2, units=[*rest, SECOND.states()[0]])], "PPK")
    await custody.all(
        [
            FIRST.receive(2, units=FIRST.states()[1:]),
            SECOND.receive(2, units=rest, missing=[lost]),
        ],
        "PPS",
    )
    await custody.all([found])
    recover = {
        "name": "recover-unit",
        "unit": box,
        "giver": "KPU-31.72",
        "receiver": FIRST.route[2]["office"],
        "place": FIRST.route[2]["place"],
        "seal": FIRST.states()[FIRST.boxes.index(box)]["seal"],
        "bast": "BAST-9",
    }
    await custody.all([recover], "PPS")
    await custody.hand_over(3, FIRST)
    void = {"unit": dropped, "replaced_by": THIRD.boxes[0]}
    cancel = {"name": "cancel-consignment", "consignment": FOURTH.out, "units": FOURTH.boxes}
    await custody.all([{"name": "void-units", "units": [void], "reason": "Bocor"}, FOURTH.plan()])
    await custody.all([cancel | {"reason": "Banjir"}])
    await custody.settle()


async def test_built_anew_the_read_models_say_the_same(
    custody: Custody, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many events a build reads at once, and whatever it folds before it writes."""
    await everything_that_can_happen(custody)
    await custody.get("/summary")
    before = await content(custody)
    states = {row["unit"]: row["state"] for row in before["units"]}
    assert states[FIRST.boxes[0]] == "delivered"
    assert (states[SECOND.boxes[0]], states[SECOND.boxes[1]]) == ("found", "voided")
    assert {states[unit] for unit in FOURTH.boxes} == {"registered"}
    worker = custody.service.worker
    assert worker is not None
    for name in ("custody", "places"):
        await worker.rebuild(name)
    assert await content(custody) == before
    for page, rows in ((1, 1), (1, 1_000), (3, 5), (50, 20)):
        monkeypatch.setattr(filling, "PAGE", page)
        monkeypatch.setattr(view, "MOST_ROWS", rows)
        await worker.rebuild("custody")
        assert await content(custody) == before


async def test_the_read_model_agrees_with_the_state_that_decides(custody: Custody) -> None:
    await everything_that_can_happen(custody)
    await custody.get("/summary")
    for row in (await content(custody))["units"]:
        state = await _state(custody, f"unit-{row['unit']}")
        assert (state.standing, state.custodian, state.place, state.seal, state.consignment) == (
            row["state"],
            row["custodian"],
            row["place"],
            row["seal"],
            row["consignment"],
        )


async def _state(custody: Custody, stream: str) -> Any:
    decider = CustodyDecider()
    state = decider.initial(stream)
    for event in await custody.service.store.read_stream(stream):
        state = decider.evolve(state, decode(event.type, event.data))
    return state


async def test_who_held_a_unit_may_read_it(custody: Custody) -> None:
    await everything_that_can_happen(custody)
    rows = (await custody.get("/units", regions=("31.72",)))["items"]
    assert [row["unit"] for row in rows] == [FIRST.boxes[0], SECOND.boxes[0]]
    assert (await custody.get(f"/units/{FIRST.boxes[0]}/timeline", regions=("31.72",)))["events"]


async def test_recapitulation_boxes_are_registered_for_their_district(custody: Custody) -> None:
    await custody.prepare()
    boxes = tuple(f"REKAP-{DISTRICT}-{n}" for n in (1, 2))
    seals = ("3171011001A900", "3171011001A901")
    packed = KitPacked(
        region=DISTRICT,
        kit=f"REKAP-{DISTRICT}",
        site=f"GUDANG-{CITY}",
        boxes=tuple(
            PackedBox(unit=box, contents="REKAP", seal=seal)
            for box, seal in zip(boxes, seals, strict=True)
        ),
        ballots={},
        items={},
    )
    await custody.report(packed)
    rows = await custody.items("/units")
    assert [(row["unit"], row["kind"], row["home"], row["seal"]) for row in rows] == [
        (boxes[0], "recap-box", DISTRICT, seals[0]),
        (boxes[1], "recap-box", DISTRICT, seals[1]),
    ]
    assert {row["custodian"] for row in rows} == {f"KPU-{CITY}"}


async def test_boxes_wait_for_their_seals_to_be_logged(custody: Custody) -> None:
    reported = asyncio.create_task(custody.report(FIRST.packed()))
    await asyncio.sleep(0.5)
    assert await custody.items("/units") == []
    roll = {"name": "log-seal-roll", "roll": "3171011001A", "first": 0, "last": 99}
    await custody.all([roll | {"region": "31.71.01.1001"}])
    await reported
    assert len(await custody.items("/units")) == 4


async def test_a_place_that_is_rejected_is_no_place_any_more(custody: Custody) -> None:
    await custody.prepare(FIRST)
    await custody.report(SiteRejected(region=DISTRICT, site=f"PPK-{DISTRICT}", reason="Banjir"))
    status, problem = await custody.command(FIRST.plan())
    assert (status, problem["code"]) == (409, "place-not-registered")
    assert problem["places"] == [f"PPK-{DISTRICT}"]
