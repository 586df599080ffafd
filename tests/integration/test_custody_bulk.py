"""Where the field has bulk: a truck of boxes, a scanner's file; each unit with its verdict."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import pytest
from custody_service import DISTRICT, ISSUER, Custody, Station, at_work

from shared.testing.bus import Bus
from shared.testing.fixtures import PostgresForTests
from shared.testing.provision import Database

FIRST, SECOND = Station(1), Station(2)
OFFICE = f"PPK-{DISTRICT}"


@pytest.fixture
def others(postgres: PostgresForTests) -> Iterator[Database]:
    made = postgres.create()
    yield made
    postgres.drop(made)


@pytest.fixture
async def custody(bus: Bus, database: Database, others: Database) -> AsyncIterator[Custody]:
    async with at_work(bus, database, others) as made:
        yield made


def roll(name: str) -> dict[str, Any]:
    fields = {"roll": name, "first": 0, "last": 9, "region": "31.71.01"}
    return {"name": "log-seal-roll"} | fields


def scan(unit: str, place: str = f"GUDANG-{DISTRICT[:5]}") -> dict[str, Any]:
    return {"name": "scan-unit", "unit": unit, "place": place, "office": OFFICE}


def lines(commands: Sequence[Any]) -> bytes:
    return b"".join(json.dumps(each).encode() + b"\n" for each in commands)


async def upload(custody: Custody, body: object, key: str, agency: str = "PPK") -> list[Any]:
    headers = ISSUER.bearer(["custodian", "operator"], ["31"], agency=agency, person="p-1")
    headers |= {"Idempotency-Key": key, "Content-Type": "application/x-ndjson"}
    async with custody.client.post("/commands", data=body, headers=headers) as answer:
        assert answer.status == 200
        return [json.loads(line) for line in (await answer.read()).splitlines()]


async def test_a_hand_over_tells_the_receiver_what_is_wrong_with_which_unit(
    custody: Custody,
) -> None:
    await custody.prepare(FIRST, SECOND)
    await custody.bring(FIRST, SECOND, legs=0)
    await custody.all([FIRST.give(1), SECOND.give(1)])
    wrong = FIRST.states(seal=None, condition="damaged")[:3]
    found = {"units": wrong, "missing": [FIRST.boxes[3]], "attended_by": []}
    status, told = await custody.command(FIRST.receive(1, **found), "PPK", key="truck")
    assert status == 201
    assert told == {
        "position": await custody.service.store.position(),
        "outcome": "accepted",
        "received": 3,
        "units": {
            FIRST.boxes[0]: ["seal-missing", "damaged"],
            FIRST.boxes[3]: ["missing"],
        },
        "incidents": ["count-variance", "supervisor-absent"],
    }
    again = await custody.command(FIRST.receive(1, **found), "PPK", key="truck")
    assert again == (201, told)
    [verdict] = await upload(custody, lines([SECOND.receive(1)]), "line")
    assert (verdict["received"], verdict["units"], verdict["incidents"]) == (4, {}, [])


async def test_a_scanners_file_that_broke_off_is_sent_again_and_nothing_is_twice(
    custody: Custody,
) -> None:
    await custody.prepare(FIRST)
    body = lines([scan(FIRST.boxes[n % 4]) for n in range(600)] + [scan("BOX-X")])
    stored = await custody.service.store.position()
    cut = asyncio.Event()

    async def half() -> AsyncIterator[bytes]:
        yield body[: len(body) // 2]
        while await custody.service.store.position() == stored:
            await asyncio.sleep(0.005)
        cut.set()
        await asyncio.Event().wait()

    sending = asyncio.create_task(upload(custody, half(), "scans"))
    await cut.wait()
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    verdicts = await upload(custody, body, "scans")
    assert [each["line"] for each in verdicts] == list(range(1, 602))
    assert {each["status"] for each in verdicts[:-1]} == {201}
    assert verdicts[-1]["code"] == "unknown-unit"
    assert any(each.get("replayed") for each in verdicts)
    assert await custody.service.store.position() == stored + 600
    again = await upload(custody, body, "scans")
    assert [each.get("replayed", False) for each in again] == [True] * 600 + [False]
    assert [each.get("position") for each in again] == [each.get("position") for each in verdicts]


async def test_a_single_command_does_not_wait_for_the_end_of_an_upload(custody: Custody) -> None:
    """The upload cannot end before the single command is answered: its last line waits for it."""
    single = asyncio.Event()
    rows = lines([roll(f"R{n}-") for n in range(2_000)])

    async def endless() -> AsyncIterator[bytes]:
        yield rows
        await single.wait()
        yield lines([roll("LAST-")])

    uploading = asyncio.create_task(upload(custody, endless(), "rolls", agency="KPU"))
    status, _ = await custody.command(roll("ONE-"))
    assert status == 201 and not uploading.done()
    single.set()
    assert [each["status"] for each in await uploading] == [201] * 2_001
