"""JetStream loses everything: Postgres fills it again, and nothing is issued twice."""

import asyncio
from typing import Any

from stack import OWNERS, Stack, Stages, figures


async def _logs(stack: Stack) -> dict[str, list[str]]:
    """All that is kept for ever: events, commands, and what policies decided."""
    kept: dict[str, list[str]] = {}
    for service in OWNERS:
        content = await stack.content(service, {"eventstore", "projection"}.__contains__)
        for table in ("eventstore.event", "eventstore.command", "projection.intent"):
            kept[f"{service}: {table}"] = content[table]
    return kept


async def test_lost_while_stopped_every_stream_is_filled_again_and_nothing_is_issued_twice(
    played: Stack, expected: dict[str, Any]
) -> None:
    await played.up_again()
    logs, models = await _logs(played), await played.read_models()
    played.down()
    played.lose_jetstream()
    await played.up_again()
    assert await played.settled() == expected["positions"]
    assert await _logs(played) == logs
    assert await played.read_models() == models


async def test_lost_at_work_the_demo_goes_on_with_the_same_figures(
    stack: Stack, expected: dict[str, Any]
) -> None:
    stages = Stages()
    demo = asyncio.create_task(stack.play(stages))
    for stage in (8, 24, 40):
        await stages.begun(stage, demo)
        stack.kill("nats")
        stack.lose_jetstream()
        await stack.up_again()
    result = await demo
    assert result.faults == () and figures(result) == expected
