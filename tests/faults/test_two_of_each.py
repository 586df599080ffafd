"""Each service runs twice, on one database and one stream: relays and workers double nothing."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

from stack import OWNERS, Stack, Stages, figures

from deploy.local import program
from deploy.local.program import ROOT, SERVICES
from shared.testing.process import LOOPBACK, free_port


async def test_with_two_processes_of_each_service_nothing_is_doubled(
    stack: Stack, expected: dict[str, Any]
) -> None:
    """Some services are spoken to in the first process, others in the second."""
    async with _second_processes(stack) as seconds:
        stack.urls |= {name: seconds[name] for name in ("custody", "console")}
        result = await stack.play()
    assert result.faults == () and figures(result) == expected


async def test_the_second_process_takes_over_from_one_that_is_killed(
    stack: Stack, expected: dict[str, Any]
) -> None:
    stages = Stages()
    async with _second_processes(stack) as seconds:
        stack.urls |= seconds
        demo = asyncio.create_task(stack.play(stages))
        for stage, name in zip((8, 24, 34), OWNERS, strict=True):
            await stages.begun(stage, demo)
            stack.kill(name)
        result = await demo
    assert result.faults == () and figures(result) == expected


@contextlib.asynccontextmanager
async def _second_processes(stack: Stack) -> AsyncIterator[dict[str, str]]:
    """Another process of each service; their URLs."""
    taken = stack.state.read("ports.json")
    passwords = stack.state.read("passwords.json")
    programs = []
    for name in SERVICES:
        role, secret = f"{name}_app", passwords[f"postgres/{name}_app"]
        dsn = f"postgresql://{role}:{secret}@{LOOPBACK}:{taken['postgres']}/{name}"
        second = program.service(name, stack.state, taken | {name: free_port()}, passwords, dsn)
        programs.append(replace(second, name=f"{name}-second"))
    processes = [each.start(stack.state, ROOT) for each in programs]
    try:
        async with asyncio.timeout(60):
            while not all([await asyncio.to_thread(each.ready) for each in programs]):
                await asyncio.sleep(0.05)
        yield {each.name.removesuffix("-second"): each.url for each in programs}
    finally:
        for process in processes:
            process.stop()
