"""Interleaved rounds: every contender once in each, so that none has a quieter machine."""

import asyncio
import math
import os
from collections.abc import Callable
from contextlib import AsyncExitStack

from tests.bench.room import Room
from tests.bench.row import Figures, NotRun, Row, Sample, Sampler

Say = Callable[[str], None]


async def measure(row: Row, room: Room, rounds: int, say: Say) -> Figures:
    """The figures of a row. A contender that fails is absent, with what it said; none stops it,
    nor does one that cannot be closed when all is measured."""
    figures = Figures()
    try:
        async with AsyncExitStack() as stack:
            samplers = await _open(row, room, stack, figures, say)
            for number in range(1, (row.rounds or rounds) + 1):
                for name in [name for name in samplers if name not in figures.absent]:
                    say(f"{row.name}: round {number}, {name}")
                    await _once(name, samplers[name], figures, say)
    except Exception as error:
        say(f"{row.name}: not closed: {error or type(error).__name__}")
    return figures


async def _open(
    row: Row, room: Room, stack: AsyncExitStack, figures: Figures, say: Say
) -> dict[str, Sampler]:
    samplers: dict[str, Sampler] = {}
    for contender in row.contenders:
        say(f"{row.name}: setting up {contender.name}")
        try:
            samplers[contender.name] = await stack.enter_async_context(contender.open(room))
        except Exception as error:
            _give_up(contender.name, error, figures, say)
    return samplers


async def _once(name: str, sampler: Sampler, figures: Figures, say: Say) -> None:
    try:
        # Nobody pays for what the one before has left to be written: COPY leaves the most.
        await asyncio.to_thread(os.sync)
        sample = _sound(await sampler())
    except Exception as error:
        _give_up(name, error, figures, say)
    else:
        figures.samples.setdefault(name, []).append(sample)


def _sound(sample: Sample) -> Sample:
    """Raises NotRun for what is no figure: nothing can be held against it."""
    for key, value in sample.items():
        if value is None or not math.isfinite(value) or (key == "rate" and value <= 0):
            raise NotRun(f"its {key} is {value}")
    return sample


def _give_up(name: str, error: Exception, figures: Figures, say: Say) -> None:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    figures.absent[name] = lines[0]
    say(f"{name} is not run: {lines[0]}")
