"""The exchange at work on a real Postgres, its own log and the others' on a bus in memory."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

import aiohttp
import asyncpg

from services.exchange.bootstrap import build
from shared import eventstore, projection, vault
from shared.bus import cloudevents
from shared.bus.message import Message
from shared.clock import Scheduler
from shared.contracts.custody import ConsignmentDeparted, IncidentRaised
from shared.contracts.inventory import (
    NeedsCalculated,
    RegionRegistered,
    SiteProposed,
    SiteReady,
    SiteRejected,
    SiteReplaced,
)
from shared.documents import store as documents
from shared.eventstore import CommandHandler, EventStore
from shared.projection import Worker
from shared.runtime import Service, clock_handler
from shared.settings import Settings
from shared.testing.projections import MemoryBus
from shared.testing.provision import Database
from shared.testing.web import Issuer, running

ISSUER = Issuer()
PATIENCE = 30.0
START = datetime(2023, 10, 30, 1, tzinfo=UTC)
DEPARTED_AT = datetime(2024, 2, 10, 2, tzinfo=UTC)

REGISTRAR = {"roles": ("registrar", "operator"), "agency": "KPU"}
ADMIN = {"roles": ("admin", "registrar"), "agency": "KPU"}
POLICE = {"roles": ("agency",), "agency": "POLDA-METRO-JAYA", "person": "p-police"}
PROSECUTOR = {"roles": ("agency",), "agency": "KEJATI-DKI", "person": "p-prosecutor"}
BAWASLU = {"roles": ("supervisor",), "agency": "BAWASLU", "person": "p-bawaslu"}
CLOCK = {"roles": ("clock",), "agency": "KPU"}

LETTER: dict[str, Any] = {
    "letter": "PAM-31.71",
    "letter_kind": "security-request",
    "region": "31.71",
    "sender": "KPU-DKI",
    "addressee": "POLDA-METRO-JAYA",
    "attention": "POLDA-METRO-JAYA.KARO-OPS",
    "copies": ["KPU-DKI.KETUA", "BAWASLU-DKI.KETUA", "KEJATI-DKI.ASINTEL"],
    "subject": "Pengamanan logistik Pemilu 2024",
    "body": "Mohon pengamanan percetakan, gudang, dan distribusi.",
    "nature": "segera",
    "attach_sites": True,
    "schedule": {"starts_at": "2024-02-10T05:00:00+07:00", "ends_at": "2024-02-13T21:00:00+07:00"},
}
NUMBER = {"classification": "PP.08", "document": "SD", "work_unit": "3171", "signer": "p-ketua"}


def proposed(site: str, region: str, function: str = "district-store") -> SiteProposed:
    return SiteProposed(
        region=region,
        site=site,
        name=f"Gudang {site}",
        function=function,
        address="Jalan Salemba Raya 1",
        owner="Pemprov DKI Jakarta",
        latitude_udeg=-6_180_000,
        longitude_udeg=106_835_000,
        capacity_m2=400,
        cctv=True,
        unchanged=True,
    )


def ready(site: str, region: str) -> SiteReady:
    return SiteReady(
        region=region,
        site=site,
        opens_on="2023-11-01",
        closes_on="2024-03-20",
        contact=f"person-{site}",
    )


def rejected(site: str, region: str) -> SiteRejected:
    return SiteRejected(region=region, site=site, reason="Atap bocor")


def replaced(site: str, region: str, by: str) -> SiteReplaced:
    return SiteReplaced(region=region, site=site, replaced_by=by)


def needs(tps: str) -> NeedsCalculated:
    kinds = ("PPWP", "DPR", "DPD", "DPRD_PROV")
    return NeedsCalculated(
        region=tps[:13],
        tps=tps,
        voters=268,
        ballots=dict.fromkeys(kinds, 274),
        dapil=dict.fromkeys(kinds, "31"),
        items={"tinta": 2},
    )


def city() -> list[Any]:
    """A printer, a warehouse and a district's store that are ready, one that is not; two TPS."""
    return [
        RegionRegistered(region="31.71.01.1001", name="Gambir", level="kelurahan"),
        RegionRegistered(region="31.71.01", name="Gambir", level="kecamatan"),
        proposed("PERCETAKAN-31", "31", "printer"),
        proposed("GUDANG-31.71", "31.71", "city-warehouse"),
        proposed("PPK-31.71.01", "31.71.01"),
        proposed("PPK-31.71.02", "31.71.02"),
        proposed("PPK-31.75.01", "31.75.01"),
        ready("PERCETAKAN-31", "31"),
        ready("GUDANG-31.71", "31.71"),
        ready("PPK-31.71.01", "31.71.01"),
        ready("PPK-31.75.01", "31.75.01"),
        needs("31.71.01.1001-001"),
        needs("31.71.01.1001-002"),
    ]


def departed(number: int, region: str = "31.71") -> ConsignmentDeparted:
    kelurahan = f"{region}.01.1001"
    return ConsignmentDeparted(
        region=region,
        consignment=f"OUT-{kelurahan}-{number:03}",
        tps=f"{kelurahan}-{number:03}",
        route_regions=(region, f"{region}.01", kelurahan),
        place=f"GUDANG-{region}",
        departed_at=DEPARTED_AT,
        units=4,
    )


def incident(region: str) -> IncidentRaised:
    return IncidentRaised(
        region=region,
        incident="seal-missing.BOX-1.OUT-1.2",
        incident_kind="seal-missing",
        unit="BOX-1",
        detail="Segel tidak ada",
    )


@dataclass
class Exchange:
    """The service, a client of its API, and the bus on which others report."""

    service: Service
    client: aiohttp.ClientSession
    bus: MemoryBus
    keys: Any = field(default_factory=count)

    async def post(
        self, path: str, body: Any, who: dict = REGISTRAR, key: str = "", regions: Any = ("31",)
    ) -> tuple[int, Any]:
        headers = ISSUER.bearer(regions=regions, **who)
        headers["Idempotency-Key"] = key or f"key-{next(self.keys)}"
        async with self.client.post(path, json=body, headers=headers) as response:
            return response.status, await response.json(content_type=None)

    async def command(self, name: str, body: Any, who: dict = REGISTRAR, **more: Any) -> Any:
        status, answer = await self.post(f"/commands/{name}", body, who, **more)
        assert status == 201, answer
        return answer

    async def get(self, path: str, who: dict = BAWASLU, regions: Any = ("31",)) -> tuple[int, Any]:
        async with self.client.get(path, headers=ISSUER.bearer(regions=regions, **who)) as response:
            return response.status, await response.json(content_type=None)

    async def items(self, path: str, who: dict = BAWASLU, **more: Any) -> list[dict[str, Any]]:
        status, page = await self.get(path, who, **more)
        assert status == 200, page
        return page["items"]

    async def report(self, *facts: Any) -> None:
        """Others publish facts; returns when the exchange shows them and has acted on them."""
        for fact in facts:
            self.bus.record(fact, regions=list(fact.regions))
        for service in {fact.service for fact in facts}:
            await self.caught_up(service)

    async def caught_up(self, service: str) -> None:
        position = self.bus.log(service).position
        await self.service.wait_until_acted(service, position, PATIENCE)

    async def own(self) -> None:
        """Returns when its own facts are shown and acted on."""
        position = await self.service.store.position()
        await self.service.wait_until_acted("exchange", position, PATIENCE)

    async def directory(self) -> None:
        status, answer = await self.post("/imports/directory", {}, ADMIN)
        assert status == 200, answer
        await self.own()

    async def send_letter(self, letter: str = "PAM-31.71", **changes: Any) -> None:
        await self.command("draft-letter", {**LETTER, "letter": letter, **changes})
        await self.issue(letter)

    async def issue(self, letter: str) -> None:
        await self.command("issue-letter", {"letter": letter, **NUMBER})
        await self.own()
        await self.command("dispatch-letter", {"letter": letter, "carrier": "courier"})
        await self.own()


@asynccontextmanager
async def at_work(database: Database, bus: MemoryBus | None = None) -> AsyncIterator[Exchange]:
    bus = bus or MemoryBus()
    await eventstore.migrate(database.owner_dsn, database.app_role)
    await projection.migrate(database.owner_dsn, database.app_role)
    await vault.migrate(database.owner_dsn, database.app_role)
    await documents.migrate(database.owner_dsn, database.app_role)
    settings = Settings(service="exchange", clock="simulated", clock_start=START)
    service = build(settings, ISSUER.authenticator())
    service.pool = await asyncpg.create_pool(database.app_dsn, min_size=1, max_size=12)
    async with await EventStore.open(database.app_dsn, service="exchange") as store:
        service.store = store
        _compose(service, bus)
        await service.clock.refresh()
        tasks = [asyncio.create_task(service.worker.run()), asyncio.create_task(copy(store, bus))]
        try:
            async with running(service.app) as client:
                yield Exchange(service, client, bus)
        finally:
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            service.pool.terminate()


def _compose(service: Service, bus: MemoryBus) -> None:
    parts = service.parts
    service.handler = CommandHandler(service.store, parts.decider)
    service.clock.store = service.store
    service.clock_handler = clock_handler(service)
    service.worker = Worker(
        service.name,
        pool=service.pool,
        replay=bus,
        open_feed=bus.open_feed,
        projections=parts.projections,
        policies=parts.policies,
        handler=service.handler,
        context=service.own_context,
    )
    service.scheduler = Scheduler(
        service.name,
        service.clock,
        service.handler,
        service.ticks(),
        service.own_context,
        settled=service.settled,
    )


async def copy(store: EventStore, bus: MemoryBus) -> None:
    """In the relay's place."""
    log = bus.log("exchange")
    log.log_id = await store.log_id()
    while True:
        events = await store.read_all(log.position, 1_000)
        for event in events:
            block = cloudevents.encode(event, log.log_id, "/kawal/31/exchange")
            log.messages.append(Message(event.position, "kawal.exchange", event.data, block))
        if events:
            log.notify()
        await asyncio.sleep(0.02)
