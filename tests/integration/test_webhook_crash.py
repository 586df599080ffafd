"""`kill -9` of the exchange while it sends webhooks: none is lost, doubles bear the same id."""

import pytest
from exchange_program import program
from webhook_receiver import Receiver, notices, receiving


@pytest.mark.parametrize(
    ("facts", "kills"), [(100, 1), pytest.param(1_000, 8, marks=pytest.mark.slow)]
)
async def test_a_killed_exchange_loses_no_delivery(database, bus, facts, kills):
    async with receiving() as receiver, program(database, bus, [0, *[0.05] * 50]) as exchange:
        await exchange.register([receiver.url])
        await notices(exchange.store, [f"S-{n % 13}" for n in range(facts)])
        for kill in range(1, kills + 1):
            await exchange.start()
            await receiver.accept(facts * kill // (kills + 1))
            await exchange.kill()
        await exchange.start()
        await receiver.until(lambda: len(events(receiver)) == facts)
    assert len({each.id for each in receiver.got}) == facts
    assert len({(each.id, each.event["id"]) for each in receiver.got}) == facts


def events(receiver: Receiver) -> set[str]:
    return {each.event["id"] for each in receiver.accepted}
