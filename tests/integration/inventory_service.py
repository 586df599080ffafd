"""Inventory at work on a real Postgres and a real NATS, and a person who uses it."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import aiohttp

from services.inventory.bootstrap import build
from shared import eventstore, projection
from shared.documents import store as documents
from shared.serving import running
from shared.settings import Settings
from shared.testing.bus import Bus
from shared.testing.provision import Database
from shared.testing.web import Issuer

ISSUER = Issuer()
ALL = frozenset({"api", "relay", "worker"})
POINTS = (
    "flood_free electricity cctv safe_gate sound_building ventilation pallets truck_access "
    "extinguisher anti_termite handling_tools guards"
)


@dataclass
class Person:
    """Someone with roles and regions, who sees what they did before they ask on."""

    client: aiohttp.ClientSession
    roles: Sequence[str] = ("operator",)
    regions: Sequence[str] = ("31",)
    seen: int = 0
    keys: Any = field(default_factory=count)

    def acting(self, *roles: str, regions: Sequence[str] = ("31",)) -> "Person":
        return Person(self.client, roles, regions, self.seen, self.keys)

    async def post(
        self, path: str, body: Any, key: str | None = None, **query: str
    ) -> tuple[int, Any]:
        headers = ISSUER.bearer(self.roles, self.regions)
        headers["Idempotency-Key"] = key or f"key-{next(self.keys)}"
        sent: dict[str, Any] = {"json": body}
        if isinstance(body, bytes):
            sent = {"data": body}
            headers["Content-Type"] = "text/csv"
        async with self.client.post(path, headers=headers, params=query, **sent) as answer:
            found = await answer.json(content_type=None)
            self.seen = max(self.seen, found.get("position") or 0)
            return answer.status, found

    async def do(self, name: str, **fields: Any) -> tuple[int, Any]:
        return await self.post(f"/commands/{name}", fields)

    async def all(self, commands: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        _, body = await self.post("/commands", {"commands": list(commands)})
        self.seen = max(self.seen, *(each.get("position", 0) for each in body["results"]))
        return body["results"]

    async def ask(self, path: str, **query: Any) -> tuple[int, Any]:
        params = {"at_least": f"inventory:{self.seen}"} | {k: str(v) for k, v in query.items()}
        headers = ISSUER.bearer(self.roles, self.regions)
        async with self.client.get(path, headers=headers, params=params) as answer:
            return answer.status, await answer.json(content_type=None)

    async def pdf(self, path: str, **query: str) -> tuple[int, bytes]:
        params = {"at_least": f"inventory:{self.seen}"} | query
        headers = ISSUER.bearer(self.roles, self.regions)
        async with self.client.get(path, headers=headers, params=params) as answer:
            return answer.status, await answer.read()

    async def get(self, path: str, **query: Any) -> Any:
        status, body = await self.ask(path, **query)
        assert status == 200, body
        return body

    async def items(self, path: str, **query: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        more: dict[str, Any] = {}
        while True:
            page = await self.get(path, **query, **more)
            found += page["items"]
            if not page["next"]:
                return found
            more = {"cursor": page["next"]}

    async def ready_site(self, site: str, region: str) -> None:
        """Propose, survey and confirm a site."""
        commands = [
            {
                "name": "propose-site",
                "site": site,
                "region": region,
                "site_name": site,
                "function": "city-warehouse",
                "address": "Jalan",
                "owner": "KPU",
                "latitude_udeg": -6_181_200,
                "longitude_udeg": 106_835_125,
                "capacity_m2": 400,
                "cctv": True,
                "unchanged": True,
            },
            {
                "name": "survey-site",
                "site": site,
                "checklist": dict.fromkeys(POINTS.split(), True),
            },
            {
                "name": "confirm-site",
                "site": site,
                "opens_on": "2023-10-01",
                "closes_on": "2024-03-31",
                "contact": "p-7",
            },
        ]
        assert [each["status"] for each in await self.all(commands)] == [201] * 3


@asynccontextmanager
async def at_work(bus: Bus, database: Database) -> AsyncIterator[Person]:
    """An operator of the province at a service with an empty store."""
    await eventstore.migrate(database.owner_dsn, database.app_role)
    await projection.migrate(database.owner_dsn, database.app_role)
    await documents.migrate(database.owner_dsn, database.app_role)
    settings = Settings(
        service="inventory",
        port=0,
        database_url=database.app_dsn,
        nats_url=bus.url,
        nats_user="test",
        nats_password="secret",
        clock="simulated",
        start_timeout=20,
        stop_timeout=5,
    )
    service = build(settings, ISSUER.authenticator())
    async with running(service, ALL):
        address = f"http://127.0.0.1:{service.port}"
        patience = aiohttp.ClientTimeout(total=120)
        async with aiohttp.ClientSession(address, timeout=patience) as client:
            person = Person(client)
            while (await person.ask("/rules"))[0] == 503:
                await asyncio.sleep(0.02)
            yield person
