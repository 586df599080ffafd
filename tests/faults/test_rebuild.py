"""A read model is built anew while it is read and written: same content, no error for a reader."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from stack import Stack, Stages, figures

from services.simulator.client import READER

VIEWS = {
    "inventory": ("/summary", "/sites", "/polling-stations", "/stock", "/findings"),
    "custody": ("/summary", "/units", "/consignments", "/incidents"),
    "exchange": ("/summary", "/letters", "/notices", "/coverage", "/agencies"),
    "console": ("/overview",),
}


async def test_during_a_demo_every_read_model_is_rebuilt_again_and_again(
    stack: Stack, expected: dict[str, Any]
) -> None:
    stages = Stages()
    demo = asyncio.create_task(stack.play(stages))
    rebuilt: Counter[tuple[str, str]] = Counter()
    async with _readers(stack) as answers:
        await stages.begun(3, demo)
        while not demo.done() or not rebuilt:
            rebuilt.update(await stack.rebuild_all())
    result = await demo
    assert result.faults == () and figures(result) == expected
    assert min(rebuilt.values()) >= 1
    assert set(answers) == {(service, 200) for service in VIEWS}
    lived_through = await stack.read_models()
    rebuilt.update(await stack.rebuild_all())
    assert await stack.read_models() == lived_through
    assert any(lived_through.values())


async def test_the_old_tables_that_a_rebuild_leaves_hold_the_same(played: Stack) -> None:
    """Of a stack at rest: what was written live, batch by batch, and what replay makes of it."""
    await played.up_again()
    await played.settled()
    await played.rebuild_all()
    for service, names in (await played.projections()).items():
        for name in names:
            new = await played.content(service, {name}.__contains__)
            old = await played.content(service, {f"{name}__previous"}.__contains__)
            assert [*old.values()] == [*new.values()], name
            assert len(new) == len(old) > 0


@asynccontextmanager
async def _readers(stack: Stack) -> AsyncIterator[Counter[tuple[str, int]]]:
    """A reader of each service that looks at one view after the other; the statuses it was given.

    Anything but an answer ends the test: nothing is tried again.
    """
    answers: Counter[tuple[str, int]] = Counter()
    headers = {"Authorization": f"Bearer {stack.token(READER.agency, READER.roles)}"}

    async def read(session: aiohttp.ClientSession, service: str) -> None:
        while True:
            for path in VIEWS[service]:
                async with session.get(stack.urls[service] + path) as answer:
                    await answer.read()
                    answers[service, answer.status] += 1

    async with aiohttp.ClientSession(headers=headers) as session:
        async with asyncio.TaskGroup() as tasks:
            reading = [tasks.create_task(read(session, service)) for service in VIEWS]
            yield answers
            for task in reading:
                task.cancel()
