"""An agency's stream: what concerns it, once and in order, through crashes and losses."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from exchange_stack import LETTER, NUMBER, POLICE, Exchange, at_work, city, departed, ready

from services.exchange.carrier import Carrier, carrier
from shared.bus import streams
from shared.bus.accounts import consumer_name
from shared.testing.bus import Bus

POLDA = "POLDA-METRO-JAYA"
STREAM = "AGENCY_POLDA_METRO_JAYA"


@asynccontextmanager
async def carrying(exchange: Exchange, bus: Bus, agency: str = POLDA) -> AsyncIterator[None]:
    nats = await bus.connect()
    service = exchange.service
    running = asyncio.create_task(Carrier(service.store, service.pool, nats, agency, "31").run())
    try:
        yield
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await nats.close()


async def stream(bus: Bus, count: int, name: str = STREAM) -> list[tuple[str, str]]:
    """Type and id of everything in the stream, once it holds `count`."""
    nats = await bus.connect()
    js = nats.jetstream()
    async with asyncio.timeout(20):
        while True:
            try:
                state = (await js.stream_info(name)).state
                if state.messages >= count:
                    break
            except Exception:  # not made yet
                pass
            await asyncio.sleep(0.05)
    await asyncio.sleep(0.2)
    state = (await js.stream_info(name)).state
    found = []
    for sequence in range(state.first_seq, state.last_seq + 1):
        message = await js.get_msg(name, sequence)
        found.append((message.headers["ce-type"].split(".")[1], message.headers["ce-id"]))
    await nats.close()
    return found


async def test_an_agency_gets_its_notices_and_its_letters_from_their_dispatch_on(database, bus):
    async with at_work(database) as exchange, carrying(exchange, bus):
        await exchange.directory()
        await exchange.report(*city(), departed(1))
        await exchange.command("draft-letter", LETTER)
        await exchange.command("issue-letter", {"letter": "PAM-31.71", **NUMBER})
        await exchange.own()
        notices = await stream(bus, 5)
        assert {kind for kind, _ in notices} == {"notice-sent"}
        dispatch = {"letter": "PAM-31.71", "carrier": "nats"}
        await exchange.command("dispatch-letter", dispatch)
        await exchange.command("acknowledge-letter", {"letter": "PAM-31.71"}, POLICE)
        found = await stream(bus, 10)
        assert [kind for kind, _ in found[5:]] == [
            "letter-drafted",
            "letter-issued",
            "letter-rendered",
            "letter-dispatched",
            "letter-acknowledged",
        ]
        assert len({identity for _, identity in found}) == len(found) == 10


async def test_an_agency_that_a_letter_does_not_concern_gets_nothing_of_it(database, bus):
    async with at_work(database) as exchange, carrying(exchange, bus, "DISHUB-DKI"):
        await exchange.directory()
        await exchange.send_letter()
        await exchange.report(departed(1))
        found = await stream(bus, 1, "AGENCY_DISHUB_DKI")
        assert [kind for kind, _ in found] == ["notice-sent"]


async def test_a_carrier_that_starts_again_or_twice_copies_nothing_twice(database, bus):
    async with at_work(database) as exchange:
        await exchange.directory()
        async with carrying(exchange, bus):
            await exchange.report(*city(), *(departed(n) for n in range(150)))
            await exchange.send_letter()
            before = await stream(bus, 158)
        async with carrying(exchange, bus), carrying(exchange, bus):
            bus.restart()
            await exchange.report(*(departed(n) for n in range(200, 350)))
            after = await stream(bus, 308)
        assert after[:158] == before
        assert len({identity for _, identity in after}) == len(after) == 308


async def test_after_a_loss_the_stream_goes_on_behind_what_was_acknowledged(
    database, bus, monkeypatch
):
    monkeypatch.setattr(carrier, "ACKNOWLEDGE_SECONDS", 0.1)
    async with at_work(database) as exchange, carrying(exchange, bus):
        await exchange.directory()
        await exchange.report(*city())
        await exchange.send_letter()
        await exchange.report(ready("PPK-31.71.02", "31.71.02"))
        before = await stream(bus, 9)
        nats = await bus.connect()
        reader = await nats.jetstream().pull_subscribe_bind(consumer_name(POLDA), STREAM)
        for message in await reader.fetch(7, timeout=5):
            await message.ack()
        await nats.close()
        async with asyncio.timeout(10):
            while await acknowledged(exchange) < 7:
                await asyncio.sleep(0.05)
        bus.restart(wiped=True)
        assert await stream(bus, 2) == before[7:]
        nats = await bus.connect()
        info = await nats.jetstream().stream_info(STREAM)
        assert (info.state.first_seq, info.state.last_seq) == (8, 9)
        await nats.close()


async def acknowledged(exchange: Exchange) -> int:
    return await exchange.service.pool.fetchval(
        "select acknowledged_sequence from carrier.progress where agency = $1", POLDA
    )


async def test_a_restored_log_begins_a_new_stream(database, bus):
    async with at_work(database) as exchange:
        await exchange.directory()
        await exchange.report(*city())
        async with carrying(exchange, bus):
            before = await stream(bus, 4)
        await exchange.service.store.renew_log_id()
        async with carrying(exchange, bus):
            await asyncio.sleep(1)
            assert await stream(bus, 4) == before


async def test_a_carrier_at_work_notices_that_its_log_was_restored(database, bus):
    """Else it would wait, where the lost log ended, for the new one to come so far."""
    async with at_work(database) as exchange, carrying(exchange, bus):
        await exchange.directory()
        await exchange.report(*city())
        before = await stream(bus, 4)
        nats = await bus.connect()
        made = (await nats.jetstream().stream_info(STREAM)).created
        await exchange.service.store.renew_log_id()
        async with asyncio.timeout(20):
            while (await _created(nats)) in (None, made):
                await asyncio.sleep(0.05)
        await nats.close()
        assert await stream(bus, 4) == before


async def _created(nats) -> object:
    found = await streams.find(nats.jetstream(), STREAM)
    return found.created if found is not None else None
