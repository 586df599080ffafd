"""Lone commands that come at the same moment are answered by one call."""

import asyncio
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from web_toy import PackBox

from shared.eventstore import Appended, Context, Request
from shared.eventstore.together import Together

CONTEXT = Context(datetime(2024, 2, 1, tzinfo=UTC), "P-1", "KPU", frozenset(), frozenset())


def request(box: str) -> Request:
    return Request(PackBox(box=box, ballots=1), uuid4(), b"", CONTEXT)


class Answers:
    """Says at which place of which call a request was."""

    def __init__(self, error: Exception | None = None) -> None:
        self.calls: list[list[str]] = []
        self.error = error

    async def __call__(self, requests):
        self.calls.append([each.command.box for each in requests])
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        return [Appended(len(self.calls), place, b"{}", False) for place in range(len(requests))]


async def test_those_who_come_in_one_turn_go_together_and_each_gets_its_own_answer():
    answers = Answers()
    together = Together(answers)
    got = await asyncio.gather(*(together.ask(request(f"B-{n}")) for n in range(3)))
    assert answers.calls == [["B-0", "B-1", "B-2"]]
    assert [each.last for each in got] == [0, 1, 2]


async def test_who_comes_later_does_not_wait_for_those_before():
    answers = Answers()
    together = Together(answers)
    first = asyncio.create_task(together.ask(request("B-1")))
    while not answers.calls:
        await asyncio.sleep(0)
    await together.ask(request("B-2"))
    assert answers.calls == [["B-1"], ["B-2"]] and (await first).first == 1


async def test_what_fails_them_all_is_each_ones_answer():
    together = Together(Answers(ConnectionError("away")))
    got = await asyncio.gather(*(together.ask(request(f"B-{n}")) for n in range(2)))
    assert [str(each) for each in got] == ["away", "away"]


async def test_a_caller_who_has_gone_does_not_keep_the_others_from_their_answers():
    together = Together(Answers())
    gone = asyncio.create_task(together.ask(request("B-1")))
    stays = asyncio.create_task(together.ask(request("B-2")))
    await asyncio.sleep(0)
    gone.cancel()
    assert (await stays).last == 1
    with pytest.raises(asyncio.CancelledError):
        await gone
