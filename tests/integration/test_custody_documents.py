"""Hand-over records and consignment notes: made from the log, the same whenever they are asked."""

from collections.abc import AsyncIterator, Iterator
from hashlib import sha256
from typing import Any

import pytest
from custody_service import ISSUER, Custody, Station, at_work

from services.custody.documents import sources
from shared.documents import render
from shared.testing.bus import Bus
from shared.testing.fixtures import PostgresForTests
from shared.testing.provision import Database

STATION = Station(1)


@pytest.fixture
def others(postgres: PostgresForTests) -> Iterator[Database]:
    made = postgres.create()
    yield made
    postgres.drop(made)


@pytest.fixture
async def custody(bus: Bus, database: Database, others: Database) -> AsyncIterator[Custody]:
    async with at_work(bus, database, others) as made:
        await made.prepare(STATION)
        yield made


async def pdf(custody: Custody, path: str, regions: Any = ("31",)) -> tuple[int, bytes]:
    await custody.get("/summary")
    headers = ISSUER.bearer(("supervisor",), regions, agency="BAWASLU")
    async with custody.client.get(path, headers=headers) as answer:
        return answer.status, await answer.read()


async def verify(custody: Custody, digest: str) -> Any:
    """As anybody does: without a token."""
    async with custody.client.get(f"/verify/{digest}") as answer:
        assert answer.status == 200
        return await answer.json()


async def test_a_hand_over_has_a_record_that_says_what_both_parties_confirmed(custody: Custody):
    await custody.bring(STATION, legs=1)
    person = {"person": "p-KPU", "region": "31", "record": {"name": "Budi Contoh"}}
    status, _ = await custody.send("/commands/register-person", person, roles=("registrar",))
    assert status == 201
    path = f"/consignments/{STATION.out}/hand-overs/1/bast.pdf"
    status, content = await pdf(custody, path)
    assert status == 200 and content.startswith(b"%PDF-")
    source = await sources.bast(custody.service, STATION.out, 1)
    assert render(source).content == content
    said = source.data
    assert [(each["unit"], each["seal"], each["condition"]) for each in said["units"]] == [
        (unit, seal, "Baik") for unit, seal in zip(STATION.boxes, STATION.seals(), strict=True)
    ]
    assert (said["missing"], said["attended_by"]) == ((), ("BAWASLU",))
    assert source.people["p-KPU"].shown == "Budi Contoh"
    for digest in (source.content_sha256, sha256(content).hexdigest()):
        found = await verify(custody, digest)
        day = {"date": "2024-02-10"}
        assert found == {"sha256": digest, "issued": True, "number": source.number} | day
    other = "0" * 64
    assert await verify(custody, other) == {"sha256": other, "issued": False}


async def test_what_was_handed_out_is_genuine_whatever_becomes_of_the_people_in_it(custody):
    await custody.bring(STATION, legs=1)
    path = f"/consignments/{STATION.out}/hand-overs/1/bast.pdf"
    digests = []
    for number, name in enumerate(("Budi Contoh", "Budi Lain")):
        person = {"person": "p-KPU", "region": "31", "record": {"name": name}}
        await custody.send("/commands/register-person", person, roles=("registrar",))
        digests.append(sha256((await pdf(custody, path))[1]).hexdigest())
        assert len(set(digests)) == number + 1
    await custody.send("/commands/forget-person", {"person": "p-KPU"}, roles=("registrar",))
    digests.append(sha256((await pdf(custody, path))[1]).hexdigest())
    assert len(set(digests)) == 3
    for digest in digests:
        assert (await verify(custody, digest))["issued"] is True


async def test_nobody_learns_from_verifying_what_was_not_handed_out(custody: Custody):
    await custody.bring(STATION, legs=1)
    source = await sources.bast(custody.service, STATION.out, 1)
    assert (await verify(custody, source.content_sha256))["issued"] is False


async def test_a_hand_over_that_was_not_received_has_no_record(custody: Custody):
    await custody.bring(STATION, legs=0)
    assert (await pdf(custody, f"/consignments/{STATION.out}/hand-overs/1/bast.pdf"))[0] == 404


async def test_a_consignment_that_left_has_a_note_with_its_manifest(custody: Custody):
    await custody.all([STATION.plan()])
    path = f"/consignments/{STATION.out}/note"
    assert (await pdf(custody, f"{path}.pdf"))[0] == 404
    await custody.all([STATION.depart()])
    status, content = await pdf(custody, f"{path}.pdf")
    source = await sources.note(custody.service, STATION.out)
    assert (status, sha256(content).hexdigest()) == (200, render(source).sha256)
    assert source.data["manifest"]["plate"] == "B 9001 KPU"
    assert source.data["manifest"]["sheets"] == "1.120"
    assert (await verify(custody, source.content_sha256))["issued"] is True


async def test_papers_are_shown_to_those_whose_regions_the_consignment_touches(custody: Custody):
    await custody.bring(STATION, legs=1)
    for paper in ("hand-overs/1/bast.pdf", "note.pdf"):
        path = f"/consignments/{STATION.out}/{paper}"
        assert (await pdf(custody, path, ("32",)))[0] == 403
        assert (await pdf(custody, path))[0] == 200
