"""The whole exchange on a real Postgres and a real NATS with its accounts, beside two reporters."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import aiohttp
import nats
import pytest
from custody_service import Reporter
from exchange_stack import (
    ADMIN,
    BAWASLU,
    ISSUER,
    LETTER,
    NUMBER,
    REGISTRAR,
    START,
    Exchange,
    city,
    departed,
    incident,
    ready,
)

from services.exchange.bootstrap import build
from shared import eventstore, projection, vault
from shared.bus.accounts import NEXT, SERVICES, render_server_config
from shared.contracts.base import Event
from shared.documents import store as documents
from shared.eventstore import Append, EventStore, Expected, Metadata, NewEvent, Write, uuid7
from shared.runtime import Service, assemble
from shared.serving import running
from shared.settings import Settings
from shared.testing.bus import Bus
from shared.testing.provision import Database

POLDA = "POLDA-METRO-JAYA"
ALL = frozenset({"api", "relay", "worker"})


@pytest.fixture
async def guarded(bus: Bus) -> Bus:
    bus.config = render_server_config(
        host="127.0.0.1",
        port=bus.server.port,
        store=str(bus.server.store),
        services={name: f"{name}-secret" for name in SERVICES},
        agencies={POLDA: "polda-secret"},
    )
    bus.restart()
    return bus


@pytest.fixture
def databases(postgres) -> Any:
    made = [postgres.create() for _ in range(3)]
    yield made
    for database in made:
        postgres.drop(database)


def settings(service: str, bus: Bus, database: Database) -> Settings:
    return Settings(
        service=service,
        port=0,
        database_url=database.app_dsn,
        nats_url=bus.url,
        nats_user=service,
        nats_password=f"{service}-secret",
        clock="simulated",
        clock_start=START,
        start_timeout=20,
        stop_timeout=5,
    )


@asynccontextmanager
async def operation(bus: Bus, databases: list[Database]) -> AsyncIterator[tuple[Exchange, Any]]:
    async with AsyncExitStack() as stack:
        stores = {}
        for name, database in zip(("inventory", "custody"), databases, strict=False):
            given = settings(name, bus, database)
            reporter = assemble(given, name=name, title="-", decider=Reporter())
            await _start(stack, reporter, database)
            stores[name] = reporter.store
        service = build(settings("exchange", bus, databases[2]), ISSUER.authenticator())
        await _start(stack, service, databases[2])
        client = aiohttp.ClientSession(f"http://127.0.0.1:{service.port}")
        await stack.enter_async_context(client)
        exchange = Exchange(service, client, None)
        while (await exchange.get("/summary"))[0] == 503:
            await asyncio.sleep(0.05)
        yield exchange, stores


async def _start(stack: AsyncExitStack, service: Service, database: Database) -> None:
    await eventstore.migrate(database.owner_dsn, database.app_role)
    await projection.migrate(database.owner_dsn, database.app_role)
    await vault.migrate(database.owner_dsn, database.app_role)
    await documents.migrate(database.owner_dsn, database.app_role)
    await stack.enter_async_context(running(service, ALL))


async def report(exchange: Exchange, stores: dict[str, EventStore], *facts: Event) -> None:
    said = Metadata("P-1", "KPU", datetime.now(UTC), None, None, "")
    for name, store in stores.items():
        writes = tuple(
            Write(
                fact.stream,
                Expected.ANY,
                (NewEvent(uuid7(), fact.type, fact.encode(), fact.region, fact.regions),),
            )
            for fact in facts
            if fact.service == name
        )
        if writes:
            await store.append(Append(uuid4(), b"test", writes, {}, said))
    await settle(exchange, stores)


async def settle(exchange: Exchange, stores: dict[str, EventStore]) -> dict[str, Any]:
    """Returns when the exchange has acted on everything, with the positions then."""
    for name, store in stores.items():
        status, _ = await exchange.get(f"/positions?at_least={name}:{await store.position()}")
        assert status == 200
    async with asyncio.timeout(20):
        while True:
            _, at = await exchange.get("/positions")
            own = {of["exchange"] for of in at["projections"].values() if "exchange" in of}
            if {at["stream"], *own} == {at["store"]}:
                return at
            await asyncio.sleep(0.1)


async def inbox(bus: Bus, count: int) -> list[str]:
    """Types of what the police's own client gets, and acknowledges."""
    polda = await nats.connect(bus.url, user=POLDA, password="polda-secret")
    reply = polda.new_inbox()
    arrived = await polda.subscribe(reply)
    await polda.publish(NEXT, b'{"batch": 100, "expires": 5000000000}', reply=reply)
    found = []
    for _ in range(count):
        message = await arrived.next_msg(timeout=5)
        found.append(message.headers["ce-type"].split(".")[1])
        await message.ack()
    await polda.flush()
    await polda.close()
    return found


async def test_facts_of_others_become_notices_letters_and_copies_on_the_bus(guarded, databases):
    async with operation(guarded, databases) as (exchange, stores):
        await exchange.post("/imports/directory", {}, ADMIN)
        await settle(exchange, stores)
        await report(exchange, stores, *city(), departed(1), incident("31.71"))
        await exchange.command("draft-letter", LETTER, REGISTRAR)
        await exchange.command("issue-letter", {"letter": "PAM-31.71", **NUMBER}, REGISTRAR)
        await settle(exchange, stores)
        dispatch = {"letter": "PAM-31.71", "carrier": "nats"}
        await exchange.command("dispatch-letter", dispatch, REGISTRAR)
        await report(exchange, stores, ready("PPK-31.71.02", "31.71.02"))
        letters = await exchange.items("/letters")
        assert [row["letter"] for row in letters] == ["PAM-31.71-S1", "PAM-31.71"]
        assert sorted(await inbox(guarded, 11)) == [
            "letter-dispatched",
            "letter-drafted",
            "letter-issued",
            "letter-rendered",
            *["notice-sent"] * 7,
        ]


async def test_a_wiped_bus_is_refilled_and_nothing_is_issued_twice(guarded, databases):
    async with operation(guarded, databases) as (exchange, stores):
        await exchange.post("/imports/directory", {}, ADMIN)
        await settle(exchange, stores)
        await report(exchange, stores, *city(), *(departed(n) for n in range(20)))
        before = await settle(exchange, stores)
    guarded.restart(wiped=True)
    async with operation(guarded, databases) as (exchange, stores):
        after = await settle(exchange, stores)
        assert after["store"] == before["store"]
        assert after["projections"] == before["projections"]
        await report(exchange, stores, departed(21))
        notices = await exchange.items("/notices?topic=departure&limit=100", BAWASLU)
        subjects = [notice["subject"] for notice in notices]
        assert len(subjects) == len(set(subjects)) == 21
