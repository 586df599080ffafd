"""10,000 webhooks to 20 endpoints, half of them ill: nothing is lost, the healthy get theirs."""

import asyncio
import random
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from itertools import pairwise
from statistics import quantiles
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from exchange_program import Program, program
from webhook_receiver import Receiver, notices, receiving, subject

PER_SECOND = 200
AT_ONCE = 10
DELIVERIES = 10_000
AGENCIES = tuple(f"AGENCY-{number:02}" for number in range(20))
SCHEDULE = [0, *[0.25] * 4, *[0.5] * 12]


async def hangs(event: dict[str, Any]) -> int:
    await asyncio.sleep(3_600)
    return 200


ANSWERS: dict[str, Any] = {
    "healthy": lambda event: 204,
    "fails": lambda event: 500,
    "hangs": hangs,
    "wavers": lambda event: random.choice((204, 500)),
}
KINDS = ("healthy",) * 10 + ("fails",) * 5 + ("hangs",) * 3 + ("wavers",) * 2


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("each", [1, 20], ids=["one endpoint a fact", "all endpoints each fact"])
async def test_ill_endpoints_delay_no_healthy_one(database, bus, capsys, each: int):
    async with AsyncExitStack() as stack, program(database, bus, SCHEDULE) as exchange:
        exchange.settings["KAWAL_WEBHOOK_TIMEOUT"] = "5"
        receivers = [await stack.enter_async_context(receiving(ANSWERS[kind])) for kind in KINDS]
        await exchange.register([receiver.url for receiver in receivers], AGENCIES)
        await exchange.start()
        await notices(exchange.store, ["FIRST"], AGENCIES)
        sound = [
            r for r, kind in zip(receivers, KINDS, strict=True) if kind in ("healthy", "wavers")
        ]
        await asyncio.gather(*(receiver.accept(1) for receiver in sound))

        facts = DELIVERIES // each
        written = await write(exchange, facts, each)
        wanted = facts * each // len(AGENCIES) + 1
        await asyncio.gather(*(receiver.accept(wanted) for receiver in sound))

        late = sorted(
            got.at - written[got.event["id"]]
            for receiver, kind in zip(receivers, KINDS, strict=True)
            if kind == "healthy"
            for got in receiver.got
            if got.event["id"] in written
        )
        assert len(late) == 10 * (wanted - 1)
        with capsys.disabled():
            p50, p99 = quantiles(late, n=100)[49], quantiles(late, n=100)[98]
            print(
                f"\n{facts} facts to {each}: p50 {p50:.3f} s, p99 {p99:.3f} s, max {late[-1]:.3f} s"
            )
        positions = {e.id: e.position async for e in log(exchange)}
        for receiver in sound:
            in_order_and_once(receiver, positions)
        await nothing_lost(exchange, wanted)


async def write(exchange: Program, facts: int, each: int) -> dict[str, float]:
    """Appends facts at the rate; when each was, by its id."""
    began, written = time.perf_counter(), {}
    position = await exchange.store.position()
    for number in range(0, facts, AT_ONCE):
        await asyncio.sleep(max(0.0, began + number / PER_SECOND - time.perf_counter()))
        now = time.perf_counter()
        numbers = range(number, number + AT_ONCE)
        await asyncio.gather(*(write_one(exchange, each, each_number) for each_number in numbers))
        for event in await exchange.store.read_all(position, AT_ONCE):
            written[str(event.id)] = now
            position = event.position
    return written


async def write_one(exchange: Program, each: int, number: int) -> None:
    agencies = AGENCIES if each == len(AGENCIES) else (AGENCIES[number % len(AGENCIES)],)
    await notices(exchange.store, [f"S-{number % 997}"], agencies)


async def log(exchange: Program) -> AsyncIterator[Any]:
    after = 0
    while events := await exchange.store.read_all(after, 1_000):
        for event in events:
            yield event
        after = events[-1].position


def in_order_and_once(receiver: Receiver, positions: dict[UUID, int]) -> None:
    by_subject = defaultdict(list)
    for got in receiver.accepted:
        by_subject[subject(got.event)].append(positions[UUID(got.event["id"])])
    assert all(a < b for own in by_subject.values() for a, b in pairwise(own))


async def nothing_lost(exchange: Program, wanted: int) -> None:
    """Each endpoint's facts are delivered, wait or are dead letters."""
    connection = await asyncpg.connect(exchange.database.app_dsn)
    rows = await connection.fetch(
        "select endpoint, state, count(*) as facts from webhook.delivery group by 1, 2"
    )
    await connection.close()
    of = defaultdict(dict)
    for row in rows:
        of[row["endpoint"]][row["state"]] = row["facts"]
    for number, kind in enumerate(KINDS):
        states = of[f"E-{number}"]
        assert sum(states.values()) == wanted, (number, states)
        if kind in ("healthy", "wavers"):
            assert states.get("dead", 0) == 0, (number, states)
        else:
            assert "delivered" not in states, (number, states)
