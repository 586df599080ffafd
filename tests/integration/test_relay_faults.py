"""Whatever happens to the bus, a stream ends up as an exact copy of its log."""

import asyncio
from uuid import uuid4

import pytest

from shared.bus.connection import Client
from shared.bus.feed import Feed
from shared.bus.message import Message
from shared.bus.publisher import Outgoing, Publisher, PublishRefused
from shared.bus.streams import EVENT_BYTES, Window, config, log_id_of
from shared.testing.bus import Bus, MemoryLog, read_to, until

STREAM = "CUSTODY_31"


async def content(bus: Bus, last: int) -> list[Message]:
    client = await bus.connect()
    async with Feed(client, STREAM) as feed:
        messages = await read_to(feed, last)
    await client.close()
    return messages


async def is_a_copy(bus: Bus, log: MemoryLog, first: int = 1) -> None:
    messages = await content(bus, len(log.entries))
    expected = log.entries[first - 1 :]
    assert [m.position for m in messages] == [e.position for e in expected]
    assert [(m.id, m.data) for m in messages] == [(e.id, e.data) for e in expected]
    assert {m.log_id for m in messages} == {log.log}


async def info(client: Client):
    return await client.jetstream().stream_info(STREAM)


async def test_a_backlog_and_lone_events_arrive_in_order(bus: Bus) -> None:
    log = MemoryLog()
    log.grow(2_345)
    async with bus.relaying(log) as relay:
        await until(lambda: relay.published == 2_345)
        for size in (1, 2, 99, 100, 1_000):
            log.grow(size)
            await until(lambda: relay.published == len(log.entries))
        assert relay.lag == 0
    await is_a_copy(bus, log)


async def test_the_server_killed_during_traffic(bus: Bus) -> None:
    log = MemoryLog()
    async with bus.relaying(log) as relay:
        for _ in range(4):
            log.grow(3_000)
            await asyncio.sleep(0.05)
            bus.restart()
        await until(lambda: relay.published == len(log.entries))
    await is_a_copy(bus, log)


async def test_a_wiped_bus_is_filled_again_from_the_store(bus: Bus) -> None:
    log = MemoryLog()
    log.grow(1_500)
    async with bus.relaying(log) as relay:
        await until(lambda: relay.published == 1_500)
        bus.restart(wiped=True)
        log.grow(10)
        await until(lambda: relay.published == 1_510)
        await asyncio.sleep(0.3)
        await until(lambda: relay.published == 1_510)
        await is_a_copy(bus, log)


async def test_a_window_starts_where_its_bytes_allow(bus: Bus) -> None:
    log = MemoryLog()
    log.grow(1_000)
    window = Window(max_bytes=300 * EVENT_BYTES)
    async with bus.relaying(log, window=window) as relay:
        await until(lambda: relay.published == 1_000)
    client = await bus.connect()
    state = (await info(client)).state
    assert (state.first_seq, state.last_seq) == (701, 1_000)
    await client.close()
    await is_a_copy(bus, log, first=701)


async def test_a_stream_that_lost_its_tail_gets_it_again(bus: Bus) -> None:
    log = MemoryLog()
    log.grow(700)
    async with bus.relaying(log) as relay:
        await until(lambda: relay.published == 700)
    client = await bus.connect()
    created = await info(client)
    await client.jetstream().delete_stream(STREAM)
    shorter = MemoryLog(log.entries[:400], log.log)
    async with bus.relaying(shorter) as relay:
        await until(lambda: relay.published == 400)
    shortened = await info(client)
    assert shortened.created != created.created
    async with bus.relaying(log) as relay:
        await until(lambda: relay.published == 700)
    assert (await info(client)).created == shortened.created
    await client.close()
    await is_a_copy(bus, log)


async def test_a_stream_deleted_under_an_idle_relay_comes_back(
    bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.bus.relay.POLL_SECONDS", 0.1)
    monkeypatch.setattr("shared.bus.relay.CHECK_SECONDS", 0.2)
    log = MemoryLog()
    log.grow(5)
    async with bus.relaying(log) as relay:
        await until(lambda: relay.published == 5)
        client = await bus.connect()
        await client.jetstream().delete_stream(STREAM)
        await is_a_copy(bus, log)
        await client.close()


async def test_two_relays_without_a_lock_double_nothing(bus: Bus) -> None:
    log = MemoryLog()
    async with bus.relaying(log) as one, bus.relaying(log) as other:
        for _ in range(60):
            log.grow(37)
            await asyncio.sleep(0.01)
        log.grow(3_000)
        await until(lambda: len(log.entries) in (one.published, other.published))
        await is_a_copy(bus, log)
        assert log_id_of(await info(one._nats)) == log.log


@pytest.mark.parametrize("position", [300, 301, 450])
async def test_a_restored_backup_begins_a_new_epoch(bus: Bus, position: int) -> None:
    """The store went back to 250 and on to `position` with other facts; the stream was at 300."""
    log = MemoryLog()
    log.grow(300)
    async with bus.relaying(log) as relay:
        await until(lambda: relay.published == 300)
    restored = MemoryLog(log.entries[:250], log.log)
    restored.grow(position - 250)
    async with bus.relaying(restored) as relay:
        await until(lambda: restored.log != log.log)
        await until(lambda: relay.published == position)
    await is_a_copy(bus, restored)


async def test_a_store_behind_its_stream_begins_a_new_epoch(bus: Bus) -> None:
    log = MemoryLog()
    log.grow(300)
    async with bus.relaying(log) as relay:
        await until(lambda: relay.published == 300)
    restored = MemoryLog(log.entries[:250], log.log)
    async with bus.relaying(restored) as relay:
        await until(lambda: restored.log != log.log)
        await until(lambda: relay.published == 250)
    await is_a_copy(bus, restored)


async def test_a_renewed_log_id_begins_a_new_epoch_while_the_relay_runs(
    bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.bus.relay.POLL_SECONDS", 0.1)
    monkeypatch.setattr("shared.bus.relay.CHECK_SECONDS", 0.2)
    log = MemoryLog()
    log.grow(20)
    async with bus.relaying(log) as relay:
        await until(lambda: relay.published == 20)
        log.log = uuid4()
        await asyncio.sleep(1)
        await until(lambda: relay.published == 20)
        await is_a_copy(bus, log)


async def test_what_does_not_follow_the_streams_end_is_refused(bus: Bus) -> None:
    client = await bus.connect()
    wanted = config("custody", "31", uuid4(), Window())
    await client.jetstream().add_stream(wanted)
    publisher = Publisher(client)
    await publisher.open()

    def run(first: int, count: int) -> list[Outgoing]:
        subject = "kawal.custody.31._._._.unit.sealed"
        return [Outgoing(p, subject, b"", b"x") for p in range(first, first + count)]

    await publisher.publish(run(1, 3))
    for first, count in ((3, 1), (5, 1), (2, 2), (2, 200), (5, 200)):
        with pytest.raises(PublishRefused, match="wrong last sequence"):
            await publisher.publish(run(first, count))
    await publisher.publish(run(4, 200))
    assert (await info(client)).state.last_seq == 203
    await client.close()
