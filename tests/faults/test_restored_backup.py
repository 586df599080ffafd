"""A database restored from an older backup: its stream and all readers notice and begin anew."""

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest
from stack import OWNERS, Stack, Stages, figures

OPERATION = ("scope", "seed", "tps", "kelurahan", "boxes", "ballots", "mishaps", "custody", "sites")
"""What a demo reports of the operation; what was lost was told to others, and is told again."""
HALF_WAY = 30


@pytest.mark.parametrize("service", OWNERS)
async def test_a_restored_database_is_noticed_by_its_stream_and_by_all_its_readers(
    stack: Stack, expected: dict[str, Any], tmp_path: Path, service: str
) -> None:
    """Nobody says that it was restored: its stream is ahead of it."""
    backup = await _played_with_a_backup(stack, service, tmp_path / "backup")
    logs = await stack.log_ids()
    stack.kill(service)
    await stack.restore(service, backup)
    await stack.up_again()
    await _begun_anew(stack, logs, {service})
    await _all_show_what_the_stores_hold(stack)
    if service != "inventory":  # its boxes, packed once more, are registered in custody already
        await _the_operation_can_be_repeated(stack, expected)


async def test_an_operator_says_that_a_database_was_restored(
    stack: Stack, expected: dict[str, Any], tmp_path: Path
) -> None:
    """With the stream lost as well, only the readers could know more than their owner."""
    backup = await _played_with_a_backup(stack, "custody", tmp_path / "backup")
    logs = await stack.log_ids()
    stack.kill("custody")
    await stack.restore("custody", backup)
    assert "custody continues as log" in stack.kawal("restored", "custody")
    stack.down()
    stack.lose_jetstream()
    await stack.up_again()
    await _begun_anew(stack, logs, {"custody"})
    await _all_show_what_the_stores_hold(stack)
    await _the_operation_can_be_repeated(stack, expected)


async def test_the_whole_folder_of_postgres_is_put_back(
    stack: Stack, expected: dict[str, Any], tmp_path: Path
) -> None:
    """A copy made while all was stopped; the streams remember what came after it."""
    data, copy = stack.state.folder / "postgres", tmp_path / "copy"
    stages = Stages()
    demo = asyncio.create_task(stack.play(stages))
    await stages.begun(HALF_WAY, demo)
    await asyncio.to_thread(stack.down)
    shutil.copytree(data, copy)
    await stack.up_again()
    assert figures(await demo) == expected
    logs = await stack.log_ids()
    stack.down()
    shutil.rmtree(data)
    shutil.copytree(copy, data)
    await stack.up_again()
    await _begun_anew(stack, logs, set(OWNERS))
    await _all_show_what_the_stores_hold(stack)
    await _the_operation_can_be_repeated(stack, expected)


async def _played_with_a_backup(stack: Stack, service: str, file: Path) -> Path:
    """A demo, on whose way a service's database is dumped."""
    stages = Stages()
    demo = asyncio.create_task(stack.play(stages))
    await stages.begun(HALF_WAY if service == "custody" else 12, demo)
    await asyncio.to_thread(stack.backup, service, file)
    result = await demo
    assert result.faults == ()
    return file


async def _begun_anew(stack: Stack, before: dict[str, str], restored: set[str]) -> None:
    """The logs of the `restored` ones, and only these, are others."""
    async with asyncio.timeout(30):
        while (await _renewed(stack, before)) != restored:
            await asyncio.sleep(0.05)


async def _renewed(stack: Stack, before: dict[str, str]) -> set[str]:
    now = await stack.log_ids()
    return {service for service in OWNERS if now[service] != before[service]}


async def _all_show_what_the_stores_hold(stack: Stack) -> None:
    """Every stream and read model is where its store is, with the content that replay gives."""
    positions = await stack.settled()
    for row in positions.values():
        assert {row["stream"], *row["projections"].values()} == {row["store"]}, positions
    models = await stack.read_models()
    await stack.rebuild_all()
    assert await stack.read_models() == models


async def _the_operation_can_be_repeated(stack: Stack, expected: dict[str, Any]) -> None:
    """Every request again: what is there is answered, what was lost is done once more."""
    stack.forget_progress()
    result = await stack.play()
    assert result.faults == ()
    assert {key: result.figures[key] for key in OPERATION} == {
        key: expected[key] for key in OPERATION
    }
