"""Custody at work on a real Postgres and a real NATS, beside an inventory that only reports."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any
from uuid import uuid4

import aiohttp

from services.custody.bootstrap import build
from shared import eventstore, projection, vault
from shared.contracts.base import Event
from shared.contracts.inventory import (
    KitPacked,
    PackedBox,
    PollingStationRegistered,
    SiteReady,
)
from shared.documents import store as documents
from shared.eventstore import Append, EventStore, Expected, Metadata, NewEvent, Write
from shared.eventstore.ids import uuid7
from shared.runtime import Service, assemble
from shared.serving import running
from shared.settings import Settings
from shared.testing.bus import Bus
from shared.testing.provision import Database
from shared.testing.web import Issuer

ISSUER = Issuer()
ALL = frozenset({"api", "relay", "worker"})
START = datetime(2024, 2, 10, 2, tzinfo=UTC)
"""09:00 in Jakarta, three days before the deadline."""

CITY, DISTRICT, VILLAGE = "31.71", "31.71.01", "31.71.01.1001"
KINDS = ("PPWP", "DPR", "DPD", "DPRD_PROV")
OFFICES = ("KPU", "PPK", "PPS", "KPPS")


class Reporter:
    """An inventory without rules: what the test says, it publishes."""

    def initial(self, stream: str) -> None:
        return None

    def evolve(self, state: None, event: Event) -> None:
        return None


@dataclass(frozen=True)
class Station:
    """A polling station, its boxes and seals, and the way to it."""

    number: int

    @property
    def tps(self) -> str:
        return f"{VILLAGE}-{self.number:03d}"

    @property
    def out(self) -> str:
        return f"OUT-{self.tps}"

    @property
    def boxes(self) -> tuple[str, ...]:
        return tuple(f"BOX-{self.tps}-{kind.replace('_', '-')}" for kind in KINDS)

    def seals(self, letter: str = "A") -> tuple[str, ...]:
        return tuple(f"3171011001{letter}{4 * self.number + i:03d}" for i in range(4))

    @property
    def route(self) -> list[dict[str, str]]:
        return [
            {"place": f"GUDANG-{CITY}", "office": f"KPU-{CITY}", "region": CITY},
            {"place": f"PPK-{DISTRICT}", "office": f"PPK-{DISTRICT}", "region": DISTRICT},
            {"place": f"PPS-{VILLAGE}", "office": f"PPS-{VILLAGE}", "region": VILLAGE},
            {"place": self.tps, "office": f"KPPS-{self.tps}", "region": VILLAGE},
        ]

    def packed(self) -> KitPacked:
        boxes = zip(self.boxes, KINDS, self.seals(), strict=True)
        return KitPacked(
            region=VILLAGE,
            kit=self.tps,
            tps=self.tps,
            site=f"GUDANG-{CITY}",
            boxes=tuple(PackedBox(unit=u, contents=k, seal=s) for u, k, s in boxes),
            ballots=dict.fromkeys(KINDS, 280),
            items={},
        )

    def plan(self, way: str = "OUT", **fields: Any) -> dict[str, Any]:
        out = way == "OUT"
        return {
            "name": "plan-consignment",
            "consignment": f"{way}-{self.tps}",
            "tps": self.tps,
            "direction": "outbound" if out else "return",
            "region": VILLAGE,
            "route": self.route if out else self.route[::-1],
            "units": self.boxes,
            "release_from": "2024-02-10T05:00:00+07:00",
            "release_until": "2024-02-14T07:00:00+07:00",
            "manifest": {
                "vehicle": "Truk boks",
                "plate": "B 9001 KPU",
                "driver": "person-1",
                "koli": 4,
                "sheets": 1120,
                "weight_kg": 48,
            },
        } | fields

    def depart(self, way: str = "OUT") -> dict[str, Any]:
        return {"name": "depart-consignment", "consignment": f"{way}-{self.tps}"}

    def states(self, letter: str = "A", **wrong: Any) -> list[dict[str, Any]]:
        """What is read of each box; `wrong` is read of the first."""
        found = [
            {"unit": u, "seal": s} for u, s in zip(self.boxes, self.seals(letter), strict=True)
        ]
        return [found[0] | wrong, *found[1:]]

    def give(self, leg: int, **fields: Any) -> dict[str, Any]:
        return {
            "name": "give-hand-over",
            "consignment": self.out,
            "leg": leg,
            "units": self.states(),
        } | fields

    def receive(self, leg: int, **fields: Any) -> dict[str, Any]:
        return {
            "name": "receive-hand-over",
            "consignment": self.out,
            "leg": leg,
            "units": self.states(),
            "attended_by": ["BAWASLU"],
        } | fields


@dataclass
class Custody:
    """The service, a client of its API, and the inventory beside it."""

    service: Service
    client: aiohttp.ClientSession
    inventory: EventStore
    keys: Any = field(default_factory=count)

    async def report(self, *facts: Event) -> None:
        """Inventory publishes; returns when custody shows it and has acted on it."""
        said = Metadata("P-1", "KPU", datetime.now(UTC), None, None, "")
        writes = tuple(
            Write(
                fact.stream,
                Expected.ANY,
                (NewEvent(uuid7(), fact.type, fact.encode(), fact.region, fact.regions),),
            )
            for fact in facts
        )
        done = await self.inventory.append(Append(uuid4(), b"test", writes, {}, said))
        await self.get("/positions", at_least=f"inventory:{done.last}")

    async def settle(self) -> None:
        """Returns when custody's policies have acted on its own facts."""
        await self.get("/positions")

    async def send(
        self,
        path: str,
        body: Any,
        agency: str = "KPU",
        roles: Sequence[str] = ("custodian", "operator"),
        regions: Sequence[str] = ("31",),
        key: str | None = None,
        person: str | None = None,
    ) -> tuple[int, Any]:
        headers = ISSUER.bearer(roles, regions, agency=agency, person=person or f"p-{agency}")
        headers["Idempotency-Key"] = key or f"key-{next(self.keys)}"
        async with self.client.post(path, json=body, headers=headers) as answer:
            return answer.status, await answer.json(content_type=None)

    async def command(self, command: Mapping[str, Any], *who: Any, **more: Any) -> tuple[int, Any]:
        body = {name: value for name, value in command.items() if name != "name"}
        return await self.send(f"/commands/{command['name']}", body, *who, **more)

    async def all(self, commands: Iterable[Mapping[str, Any]], agency: str = "KPU") -> None:
        """All of them must be accepted."""
        status, body = await self.send("/commands", {"commands": list(commands)}, agency)
        assert status == 200, body
        refused = [each for each in body["results"] if each["status"] != 201]
        assert refused == [], refused

    async def move_clock(self, to: str) -> None:
        status, body = await self.send("/commands/move-clock", {"to": to}, roles=("clock",))
        assert status == 201, body

    async def ask(
        self,
        path: str,
        regions: Sequence[str] = ("31",),
        roles: Any = ("supervisor",),
        **query: Any,
    ) -> tuple[int, Any]:
        headers = ISSUER.bearer(roles, regions, agency="BAWASLU")
        params = {name: str(value) for name, value in query.items()}
        async with self.client.get(path, headers=headers, params=params) as answer:
            return answer.status, await answer.json(content_type=None)

    async def get(self, path: str, **query: Any) -> Any:
        """The answer as it is once everything stored is shown."""
        query.setdefault("at_least", f"custody:{await self.service.store.position()}")
        status, body = await self.ask(path, **query)
        assert status == 200, body
        return body

    async def items(self, path: str, **query: Any) -> list[dict[str, Any]]:
        return (await self.get(path, limit=1000, **query))["items"]

    # The way of the boxes

    async def prepare(self, *stations: Station) -> None:
        """Sites and stations are known, seals logged, kits packed and registered."""
        await self.report(*sites(), *(polling_station(each) for each in stations))
        rolls = [
            {
                "name": "log-seal-roll",
                "roll": f"3171011001{letter}",
                "first": 0,
                "last": 999,
                "region": VILLAGE,
            }
            for letter in "AN"
        ]
        await self.all(rolls)
        await self.report(*(station.packed() for station in stations))

    async def bring(self, *stations: Station, legs: int = 3) -> None:
        """Planned, departed, and handed over on the first legs, everything as it should be."""
        await self.all([station.plan() for station in stations])
        await self.all([station.depart() for station in stations])
        for leg in range(1, legs + 1):
            await self.hand_over(leg, *stations)

    async def hand_over(self, leg: int, *stations: Station, **wrong: Any) -> None:
        giver, receiver = OFFICES[leg - 1], OFFICES[leg]
        await self.all([station.give(leg) for station in stations], giver)
        await self.all([station.receive(leg, **wrong) for station in stations], receiver)


def sites() -> list[SiteReady]:
    places = {
        "PERCETAKAN-31": "31",
        f"GUDANG-{CITY}": CITY,
        f"PPK-{DISTRICT}": DISTRICT,
        f"PPS-{VILLAGE}": VILLAGE,
    }
    return [
        SiteReady(
            region=region,
            site=site,
            opens_on="2023-10-01",
            closes_on="2024-03-31",
            contact="person-7",
        )
        for site, region in places.items()
    ]


def polling_station(station: Station) -> PollingStationRegistered:
    return PollingStationRegistered(
        region=VILLAGE,
        tps=station.tps,
        number=station.number,
        voters=270,
        source="official",
    )


@asynccontextmanager
async def at_work(bus: Bus, own: Database, others: Database) -> AsyncIterator[Custody]:
    """Both services with empty stores."""
    async with AsyncExitStack() as stack:
        inventory = assemble(
            _settings("inventory", bus, others), name="inventory", title="-", decider=Reporter()
        )
        await _start(stack, inventory, others)
        custody = build(_settings("custody", bus, own), ISSUER.authenticator())
        await _start(stack, custody, own)
        client = aiohttp.ClientSession(
            f"http://127.0.0.1:{custody.port}", connector=aiohttp.TCPConnector(limit=300)
        )
        await stack.enter_async_context(client)
        made = Custody(custody, client, inventory.store)
        while (await made.ask("/summary"))[0] == 503:
            await asyncio.sleep(0.02)
        yield made


async def _start(stack: AsyncExitStack, service: Service, database: Database) -> None:
    await eventstore.migrate(database.owner_dsn, database.app_role)
    await projection.migrate(database.owner_dsn, database.app_role)
    await vault.migrate(database.owner_dsn, database.app_role)
    await documents.migrate(database.owner_dsn, database.app_role)
    await stack.enter_async_context(running(service, ALL))


def _settings(service: str, bus: Bus, database: Database) -> Settings:
    return Settings(
        service=service,
        port=0,
        database_url=database.app_dsn,
        nats_url=bus.url,
        nats_user="test",
        nats_password="secret",
        clock="simulated",
        clock_start=START,
        start_timeout=20,
        stop_timeout=5,
    )
