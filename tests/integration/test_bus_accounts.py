"""Each user can do its work on the bus and nothing else; every forbidden act is refused."""

import asyncio
from collections.abc import AsyncIterator

import nats
import pytest
from nats.errors import Error, TimeoutError
from nats.js.errors import Error as JetStreamError

from shared.bus import agencies
from shared.bus.accounts import NEXT, SERVICES, consumer_name, render_server_config
from shared.bus.connection import Client
from shared.bus.feed import Feed
from shared.bus.relay import Relay
from shared.bus.replay import Replay
from shared.bus.responder import Responder
from shared.bus.subjects import stream_name
from shared.testing.bus import Bus, MemoryLog, read_to, until

POLDA, KEJATI = "POLDA-METRO-JAYA", "KEJATI-DKI"
FACT = "kawal.custody.31.71._._.unit.sealed"


@pytest.fixture
async def guarded(bus: Bus) -> AsyncIterator[Bus]:
    """The server with the accounts of the platform, and CUSTODY_31 filled by its own relay."""
    bus.config = render_server_config(
        host="127.0.0.1",
        port=bus.server.port,
        store=str(bus.server.store),
        services={name: f"{name}-secret" for name in SERVICES},
        agencies={POLDA: "polda-secret", KEJATI: "kejati-secret"},
    )
    bus.restart()
    client = await bus.connect("custody", "custody-secret")
    log = MemoryLog()
    log.grow(150)
    relay = Relay(log, client, "custody", "31")
    running = asyncio.create_task(relay.run())
    await until(lambda: relay.published == 150)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await client.close()
    yield bus


async def service(bus: Bus, name: str) -> Client:
    return await bus.connect(name, f"{name}-secret")


async def refused(client: nats.NATS, subject: str, payload: bytes = b"{}") -> None:
    """Neither an answer nor an effect: the request times out, the violation is reported."""
    said: list[str] = []

    async def report(error: Exception) -> None:
        said.append(str(error))

    client._error_cb = report
    with pytest.raises((TimeoutError, JetStreamError, Error)):
        await client.request(subject, payload, timeout=0.3)
    assert any("permissions violation for publish" in line for line in said), subject


async def unreadable(client: nats.NATS, subject: str) -> None:
    said: list[str] = []

    async def report(error: Exception) -> None:
        said.append(str(error))

    client._error_cb = report
    await client.subscribe(subject)
    await until(lambda: any("permissions violation for subscription" in line for line in said), 2)


async def last_of(bus: Bus, stream: str, user: str) -> int:
    client = await service(bus, user)
    found = await client.jetstream().stream_info(stream)
    await client.close()
    return found.state.last_seq


async def test_every_service_reads_the_stream_and_asks_the_owner(guarded: Bus) -> None:
    log = MemoryLog()
    log.grow(10)
    owner = Responder(log, "custody", "31", lambda: service(guarded, "custody"))
    answering = asyncio.create_task(owner.run())
    for name in SERVICES:
        client = await service(guarded, name)
        async with Feed(client, stream_name("custody", "31")) as feed:
            assert len(await read_to(feed, 150)) == 150
        assert (await Replay(client).position("custody")).position == 10
        assert len(await Replay(client).read("custody", 4)) == 6
        await client.close()
    answering.cancel()
    await asyncio.gather(answering, return_exceptions=True)


async def test_nobody_is_admitted_without_the_right_password(guarded: Bus) -> None:
    for credentials in ({}, {"user": "custody", "password": "guess"}, {"user": "sys"}):
        with pytest.raises(Error):
            await nats.connect(guarded.url, allow_reconnect=False, **credentials)


@pytest.mark.parametrize("name", ["inventory", "exchange", "console"])
async def test_a_service_cannot_act_for_another(guarded: Bus, name: str) -> None:
    client = await service(guarded, name)
    for subject in (
        FACT,
        "kawal-wake.custody",
        "kawal.command.custody.seal-unit.custody",
        "$JS.API.STREAM.DELETE.CUSTODY_31",
        "$JS.API.STREAM.PURGE.CUSTODY_31",
        "$JS.API.STREAM.UPDATE.CUSTODY_31",
        "$JS.API.STREAM.CREATE.OTHER",
        "$JS.API.STREAM.MSG.DELETE.CUSTODY_31",
        "$JS.API.CONSUMER.DELETE.CUSTODY_31.any",
        "_INBOX.custody.answer",
    ):
        await refused(client, subject)
    for subject in (">", "kawal.replay.custody", "kawal.command.custody.*.*", "_INBOX.custody.>"):
        await unreadable(client, subject)
    await client.close()
    assert await last_of(guarded, "CUSTODY_31", "custody") == 150


async def filled(bus: Bus) -> None:
    exchange = await service(bus, "exchange")
    async with Feed(exchange, "CUSTODY_31") as feed:
        messages = await read_to(feed, 150)
    for agency in (POLDA, KEJATI):
        await agencies.declare(exchange.jetstream(), agency)
    for message in (messages[0], messages[1], messages[1]):
        await agencies.copy(exchange, POLDA, message)
    await exchange.close()


async def test_an_agency_reads_and_acknowledges_only_what_was_chosen_for_it(guarded: Bus) -> None:
    await filled(guarded)
    polda = await nats.connect(guarded.url, user=POLDA, password="polda-secret")
    inbox = polda.new_inbox()
    arrived = await polda.subscribe(inbox)
    await polda.publish(NEXT, b'{"batch": 10, "expires": 1000000000}', reply=inbox)
    first, second = [await arrived.next_msg(timeout=2) for _ in range(2)]
    assert first.subject == f"kawal.agency.{POLDA}.custody.31.71.01._.unit.sealed"
    assert first.headers["ce-type"] == "custody.unit-sealed.v1"
    assert first.headers["ce-id"] != second.headers["ce-id"]
    await first.ack()
    await second.ack()
    await polda.flush()
    exchange = await service(guarded, "exchange")

    async def acknowledged() -> int:
        info = await exchange.jetstream().consumer_info(
            "AGENCY_POLDA_METRO_JAYA", consumer_name(POLDA)
        )
        return info.ack_floor.stream_seq

    for _ in range(100):
        if await acknowledged() == 2:
            break
        await asyncio.sleep(0.02)
    assert await acknowledged() == 2
    await polda.close()
    await exchange.close()


async def test_an_agency_can_do_nothing_else(guarded: Bus) -> None:
    await filled(guarded)
    polda = await nats.connect(guarded.url, user=POLDA, password="polda-secret")
    other, its = "AGENCY_KEJATI_DKI", consumer_name(KEJATI)
    for subject in (
        FACT,
        f"kawal.agency.{POLDA}.custody.31._._._.unit.sealed",
        "kawal.replay.custody",
        "kawal.command.custody.seal-unit.custody",
        "$JS.API.INFO",
        "$JS.API.STREAM.LIST",
        "$JS.API.STREAM.INFO.CUSTODY_31",
        "$JS.API.STREAM.MSG.GET.CUSTODY_31",
        "$JS.API.DIRECT.GET.CUSTODY_31",
        "$JS.API.CONSUMER.CREATE.AGENCY_POLDA_METRO_JAYA",
        "$JS.API.CONSUMER.CREATE.CUSTODY_31",
        f"$JS.API.CONSUMER.MSG.NEXT.{other}.{its}",
        f"$JS.API.CONSUMER.DELETE.AGENCY_POLDA_METRO_JAYA.{consumer_name(POLDA)}",
        f"$JS.ACK.{other}.{its}.1.1.1.1.1",
        "$SYS.REQ.SERVER.PING",
    ):
        await refused(polda, subject)
    for subject in (">", "kawal.>", "$JS.>", "_INBOX_.>"):
        await unreadable(polda, subject)
    await polda.close()


async def test_an_agency_cannot_inject_a_fact_through_a_reply_subject(guarded: Bus) -> None:
    await filled(guarded)
    polda = await nats.connect(guarded.url, user=POLDA, password="polda-secret")
    for reply in (
        FACT,
        "kawal.exchange.31._._._.letter.issued",
        "$JS.API.STREAM.DELETE.CUSTODY_31",
    ):
        await polda.publish(NEXT, b'{"batch": 2, "no_wait": true}', reply=reply)
    await polda.flush()
    await asyncio.sleep(0.3)
    assert await last_of(guarded, "CUSTODY_31", "custody") == 150
    await polda.close()
