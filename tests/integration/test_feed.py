"""A feed brings every message once and in order, and says when the past was replaced."""

import asyncio
from uuid import uuid4

import pytest

from shared.bus.feed import EpochChanged, Feed
from shared.testing.bus import Bus, MemoryLog, read_to, until

STREAM = "CUSTODY_31"


def positions(messages: list) -> list[int]:
    return [message.position for message in messages]


async def test_it_reads_from_any_position_with_its_own_flow_control(bus: Bus) -> None:
    log = MemoryLog()
    log.grow(2_000)
    client = await bus.connect()
    async with bus.relaying(log), Feed(client, STREAM, 700, window=100) as feed:
        messages = await read_to(feed, 2_000)
        assert positions(messages) == list(range(701, 2_001))
        assert feed.log_id == log.log
        assert await feed.batch(0.05) == []
    await client.close()


async def test_a_slow_reader_is_never_sent_more_than_its_window(bus: Bus) -> None:
    log = MemoryLog()
    log.grow(1_000)
    client = await bus.connect()
    async with bus.relaying(log), Feed(client, STREAM, window=100) as feed:
        first = await feed.batch(5)
        await asyncio.sleep(0.3)
        second = await feed.batch(5)
        assert len(second) <= 100
        assert positions(first + second) == list(range(1, len(first + second) + 1))
    await client.close()


async def test_it_waits_for_a_stream_that_is_not_there_yet(bus: Bus) -> None:
    client = await bus.connect()
    async with Feed(client, STREAM) as feed:
        assert await feed.batch(0.2) == []
        log = MemoryLog()
        log.grow(3)
        async with bus.relaying(log):
            assert positions(await read_to(feed, 3)) == [1, 2, 3]
    await client.close()


async def test_it_survives_a_killed_server(bus: Bus) -> None:
    log = MemoryLog()
    client = await bus.connect()
    async with bus.relaying(log), Feed(client, STREAM) as feed:
        received = []
        for _ in range(3):
            log.grow(500)
            await asyncio.sleep(0.05)
            bus.restart()
            log.grow(500)
            received += await read_to(feed, len(log.entries))
        assert positions(received) == list(range(1, 3_001))
    await client.close()


async def test_a_wiped_and_refilled_stream_doubles_nothing(bus: Bus) -> None:
    log = MemoryLog()
    log.grow(1_500)
    client = await bus.connect()
    async with bus.relaying(log), Feed(client, STREAM) as feed:
        received = await read_to(feed, 1_500)
        bus.restart(wiped=True)
        log.grow(50)
        received += await read_to(feed, 1_550)
        assert positions(received) == list(range(1, 1_551))
    await client.close()


async def test_it_notices_that_its_consumer_or_stream_was_deleted(bus: Bus) -> None:
    log = MemoryLog()
    log.grow(10)
    client = await bus.connect()
    other = await bus.connect()
    async with bus.relaying(log) as relay, Feed(client, STREAM) as feed:
        await read_to(feed, 10)
        [consumer] = await other.jetstream().consumers_info(STREAM)
        await other.jetstream().delete_consumer(STREAM, consumer.name)
        log.grow(1)
        assert positions(await read_to(feed, 11)) == [11]
        await other.jetstream().delete_stream(STREAM)
        log.grow(1)
        await until(lambda: relay.published == 12)
        assert positions(await read_to(feed, 12)) == [12]
    await client.close()
    await other.close()


async def test_another_log_is_an_error_while_reading_and_at_the_start(bus: Bus) -> None:
    log = MemoryLog()
    log.grow(300)
    client = await bus.connect()
    async with Feed(client, STREAM) as feed:
        async with bus.relaying(log):
            await read_to(feed, 300)
        restored = MemoryLog(log.entries[:200], uuid4())
        async with bus.relaying(restored) as relay:
            await until(lambda: relay.published == 200)
            with pytest.raises(EpochChanged) as changed:
                await read_to(feed, 301)
            assert (changed.value.followed, changed.value.found) == (log.log, restored.log)
    async with Feed(client, STREAM, 300, log_id=log.log) as late:
        with pytest.raises(EpochChanged):
            await late.batch()
    await client.close()
