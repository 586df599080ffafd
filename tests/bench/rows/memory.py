"""The memory of the services while they run an operation whose states never fit into a cache.

The demo is played on a local stack of its own, with several times the polling stations of Jakarta:
single and bulk commands, hand-overs and projections all the time, a rebuild in the midst of it.
"""

import asyncio
import os
import random
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import linear_regression

import psutil

from deploy.local.ports import OFFSETS
from deploy.local.state import State
from services.inventory.imports.geography import kelurahan_of
from services.inventory.imports.tps_file import CODE, REGULAR, SPECIAL, VOTERS
from shared.bus.accounts import SERVICES
from shared.testing.process import interrupt_with_parent, port_is_free
from tests.bench.room import CELL, ROOT, Room
from tests.bench.row import Contender, NotRun, Row, Sample, Sampler, Target, figure

LONGER = 200
"""Times the seconds of a sample: ten minutes where a sample has three seconds."""

STATIONS_A_SECOND = 120
"""More than the demo takes through all of its stages."""

BYTES_A_SECOND = 30_000_000
"""More than the disk takes in: logs, read models, streams."""

VOTERS_EACH = 250
MEBIBYTE = 1024 * 1024
PATIENCE = 120.0


@asynccontextmanager
async def _operation(room: Room) -> AsyncIterator[Sampler]:
    seconds = room.seconds * LONGER
    if shutil.disk_usage(room.folder).free < seconds * BYTES_A_SECOND:
        raise NotRun(f"it needs {seconds * BYTES_A_SECOND / 1e9:.0f} GB of disk")
    environment = os.environ | {"STATE": str(room.folder), "KAWAL_PORT_BASE": str(_free_base())}
    stations = _stations(room.folder / "stations.csv", round(seconds * STATIONS_A_SECOND))
    arguments = ("demo", "--once", "--scope", CELL, "--tps-file", str(stations))
    async with _kawal(environment, *arguments) as demo:
        yield lambda: _watched(room, demo, environment, seconds)


@asynccontextmanager
async def _kawal(
    environment: Mapping[str, str], *arguments: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A command at work, interrupted at the end; the demo then stops its stack."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "shared.cli"),
        *arguments,
        cwd=ROOT,
        env=dict(environment),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=interrupt_with_parent,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
        await asyncio.wait_for(process.wait(), PATIENCE)


def _stations(file: Path, number: int) -> Path:
    """A file of counts: so many polling stations, the same number in each kelurahan."""
    codes = kelurahan_of(CELL)
    each = max(1, number // len(codes))
    rows = [f"{code},{each},0,{each * VOTERS_EACH}" for code in codes]
    file.write_text("\n".join([",".join((CODE, REGULAR, SPECIAL, VOTERS)), *rows, ""]))
    return file


def _free_base() -> int:
    """The start of a range of ports that nobody listens on, below the ephemeral ones."""
    while True:
        base = random.randrange(10_000, 30_000, 50)
        if all(port_is_free(base + offset) for offset in OFFSETS.values()):
            return base


async def _watched(
    room: Room,
    demo: asyncio.subprocess.Process,
    environment: Mapping[str, str],
    seconds: float,
) -> Sample:
    services = await _started(State.at(room.folder), demo)
    sizes: dict[str, list[float]] = {name: [] for name in services}
    for second in range(round(seconds)):
        if demo.returncode is not None:
            raise NotRun(f"the demo ended after {second} s with status {demo.returncode}")
        for name, process in services.items():
            sizes[name].append(process.memory_info().rss / MEBIBYTE)
        if second == round(seconds / 3):
            rebuild = asyncio.create_task(_rebuilt(environment))
        await asyncio.sleep(1)
    await rebuild
    return _figures(sizes)


async def _rebuilt(environment: Mapping[str, str]) -> None:
    async with _kawal(environment, "rebuild", "custody", "custody") as process:
        if await process.wait():
            raise NotRun("custody's read model was not built anew")


async def _started(state: State, demo: asyncio.subprocess.Process) -> dict[str, psutil.Process]:
    async with asyncio.timeout(PATIENCE):
        while demo.returncode is None:
            found = {name: state.process(name) for name in SERVICES}
            if all(found.values()):
                return {name: psutil.Process(one.pid) for name, one in found.items() if one}
            await asyncio.sleep(0.2)
    raise NotRun(f"the demo ended with status {demo.returncode}")


def _figures(sizes: Mapping[str, Sequence[float]]) -> Sample:
    """Peaks, and by how much each service grew in the second half, by the line of best fit."""
    peaks = {name: max(each) for name, each in sizes.items()}
    growths = {name: _growth(each[len(each) // 2 :]) for name, each in sizes.items()}
    return {
        "peak_mb": max(peaks.values()),
        "growth_mb": max(growths.values()),
        **{f"{name}_mb": peak for name, peak in peaks.items()},
        **{f"{name}_growth_mb": growth for name, growth in growths.items()},
    }


def _growth(sizes: Sequence[float]) -> float:
    return linear_regression(range(len(sizes)), sizes).slope * len(sizes)


ROW = Row(
    name="memory",
    title="memory of a service under an operation of ten minutes, the largest of four",
    unit="MB",
    measure="peak_mb",
    contenders=(Contender("kawal", _operation),),
    targets=(
        Target("MB", 300, figure("kawal", "peak_mb"), most=True),
        Target("MB more in the last five minutes", 10, figure("kawal", "growth_mb"), most=True),
    ),
    rounds=1,
    seconds=660,
)
