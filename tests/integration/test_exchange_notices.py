"""Notices: every fact once to the agencies that it concerns, whatever happens to the bus."""

import asyncio
from typing import Any

from exchange_stack import (
    BAWASLU,
    CLOCK,
    POLICE,
    REGISTRAR,
    at_work,
    city,
    departed,
    incident,
    ready,
    rejected,
)

from shared.contracts.custody import UnitSealed
from shared.testing.projections import MemoryBus


async def test_every_agency_concerned_is_told_once(database):
    async with at_work(database) as exchange:
        await exchange.directory()
        await exchange.report(departed(1), incident("31.75.01.1001"), *city())
        await exchange.own()
        notices = await exchange.items("/notices")
        told = {(n["topic"], n["subject"]): set(n["agencies"]) for n in notices}
        assert told["departure", "OUT-31.71.01.1001-001"] == {
            "BAWASLU-DKI",
            "DISHUB-DKI",
            "KODAM-JAYA",
            "POLDA-METRO-JAYA",
            "POLRES-JAKARTA-PUSAT",
        }
        assert "POLRES-JAKARTA-TIMUR" in told["incident", "seal-missing.BOX-1.OUT-1.2"]
        assert "POLRES-JAKARTA-PUSAT" not in told["incident", "seal-missing.BOX-1.OUT-1.2"]
        assert len(notices) == len(told) == 6
        departure = next(n for n in notices if n["topic"] == "departure")
        assert departure["summary"] == (
            "Kiriman OUT-31.71.01.1001-001 berangkat dari GUDANG-31.71 pada 10-02-2024 09:00 WIB: "
            "4 unit."
        )


async def test_an_agency_sees_its_own_notices_only(database):
    async with at_work(database) as exchange:
        await exchange.directory()
        await exchange.report(departed(1), rejected("GOR-X", "31.71.01"))
        await exchange.own()
        assert len(await exchange.items("/notices", POLICE)) == 2
        assert len(await exchange.items("/notices?topic=departure", POLICE)) == 1
        dishub = POLICE | {"agency": "DISHUB-DKI"}
        assert [n["topic"] for n in await exchange.items("/notices", dishub)] == ["departure"]
        assert (await exchange.get("/notices?agency=BAWASLU-DKI", dishub))[0] == 403
        assert len(await exchange.items("/notices?agency=DISHUB-DKI", BAWASLU)) == 1
        assert await exchange.items("/notices", BAWASLU, regions=("31.75",)) == []
        assert (await exchange.get("/notices", CLOCK))[0] == 403


async def test_a_bus_that_delivers_everything_again_changes_nothing(database):
    bus = MemoryBus()
    facts = [*city(), departed(1), departed(2), incident("31.71")]
    async with at_work(database, bus) as exchange:
        await exchange.directory()
        await exchange.report(*city())
        await exchange.send_letter()
        await exchange.report(ready("PPK-31.71.02", "31.71.02"), *facts[-3:])
        await exchange.own()
        before = await exchange.service.store.position()
        kept = {name: bus.log(name) for name in ("inventory", "custody")}
    wiped = MemoryBus()
    for name, log in kept.items():
        refilled = wiped.log(name)
        refilled.log_id, refilled.messages = log.log_id, list(log.messages)
    async with at_work(database, wiped) as exchange:
        await exchange.caught_up("inventory")
        await exchange.caught_up("custody")
        assert await exchange.service.store.position() == before


async def test_a_restored_custody_does_not_tell_again_what_it_told(database):
    async with at_work(database) as exchange:
        await exchange.directory()
        await exchange.report(departed(1), departed(2), departed(3))
        await exchange.own()
        exchange.bus.log("custody").restore(2)
        exchange.bus.record(departed(4))
        async with asyncio.timeout(20):
            while len(told := await exchange.items("/notices")) < 4:
                await asyncio.sleep(0.1)
        assert sorted(notice["subject"][-3:] for notice in told) == ["001", "002", "003", "004"]


async def test_facts_of_no_interest_are_passed_over(database):
    async with at_work(database) as exchange:
        await exchange.directory()
        before = await exchange.service.store.position()
        sealed = [
            UnitSealed(region="31.71", unit=f"BOX-{n}", seal=f"A{n:03}", place="GUDANG-31.71")
            for n in range(3_000)
        ]
        await exchange.report(*sealed)
        positions: dict[str, Any] = exchange.service.worker.positions()
        assert positions["notify"]["custody"] == 3_000
        assert await exchange.service.store.position() == before


async def test_the_directory_may_be_loaded_again_and_edited(database):
    async with at_work(database) as exchange:
        await exchange.directory()
        before = await exchange.service.store.position()
        await exchange.directory()
        assert await exchange.service.store.position() == before
        rows = await exchange.items("/agencies")
        polda = next(row for row in rows if row["agency"] == "POLDA-METRO-JAYA")
        assert {office["office"] for office in polda["offices"]} >= {
            "POLDA-METRO-JAYA.KAPOLDA",
            "POLDA-METRO-JAYA.KARO-OPS",
        }
        fields = {**polda, "agency_name": polda["name"], "notices": []}
        del fields["name"]
        await exchange.command("register-agency", fields, REGISTRAR)
        await exchange.own()
        await exchange.report(departed(1))
        assert await exchange.items("/notices", POLICE) == []
        await exchange.directory()
        await exchange.report(departed(2))
        assert len(await exchange.items("/notices", POLICE)) == 1
        assert (await exchange.post("/imports/directory", {}, POLICE))[0] == 403
