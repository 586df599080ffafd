"""`kill -9` of any process during a demo: after `make up` it goes on, with the same figures."""

import asyncio
import os
import signal
import subprocess
import sys
from typing import Any

import pytest
from stack import SCOPE, Stack, Stages, figures

from deploy.local.program import ROOT, SERVERS
from services.simulator.report import Report
from shared.testing.process import wait_until

BUSY = (5, 12, 20, 24, 30, 40, 49)
"""Stages of the demo in which something is killed, from the first deliveries to the way back."""


async def _kill(stack: Stack, name: str) -> None:
    stack.kill(name)
    await stack.up_again()


async def _undone(stack: Stack, kills: dict[int, str]) -> Report:
    """A demo in whose given stages processes are killed and started again."""
    stages = Stages()
    demo = asyncio.create_task(stack.play(stages))
    for stage, name in sorted(kills.items()):
        await stages.begun(stage, demo)
        await _kill(stack, name)
    return await demo


async def test_each_process_is_killed_once_and_the_figures_are_the_same(
    stack: Stack, expected: dict[str, Any]
) -> None:
    result = await _undone(stack, dict(zip(BUSY, SERVERS, strict=True)))
    assert result.faults == () and figures(result) == expected


@pytest.mark.slow
@pytest.mark.parametrize("name", SERVERS)
async def test_a_process_is_killed_again_and_again(
    stack: Stack, expected: dict[str, Any], name: str
) -> None:
    result = await _undone(stack, dict.fromkeys(BUSY, name))
    assert result.faults == () and figures(result) == expected


def test_a_killed_demo_goes_on_with_the_same_options(
    stack: Stack, expected: dict[str, Any]
) -> None:
    """The simulator itself is killed twice; what it had asked for is not done twice."""
    for stage in ("kits packed", "PPK -> PPS: given"):
        demo = _demo(stack)
        assert demo.stdout is not None
        _read_until(demo, stage)
        os.kill(demo.pid, signal.SIGKILL)
        demo.wait()
    demo = _demo(stack)
    output, _ = demo.communicate(timeout=120)
    assert demo.returncode == 0, output
    assert figures(stack.state.read("demo.json")) == expected
    assert wait_until(lambda: {row.state for row in stack.supervisor.status()} == {"stopped"}, 5)


def _demo(stack: Stack) -> subprocess.Popen[str]:
    command = (sys.executable, "-m", "shared.cli", "demo", "--scope", SCOPE, "--once")
    stack_of_ours = {"STATE": str(stack.state.folder), "KAWAL_PORT_BASE": str(stack.base)}
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env=os.environ | stack_of_ours,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _read_until(demo: subprocess.Popen[str], stage: str) -> None:
    lines = []
    for line in demo.stdout or ():
        lines.append(line)
        if line.startswith(stage):
            return
    raise AssertionError(f"no stage {stage}: {''.join(lines)}")
