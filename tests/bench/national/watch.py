"""Watches the run: how far everything is, what each million cost, whether all servers live."""

import asyncio
import contextlib
import http.client
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiosql
import asyncpg
from rich.progress import Progress as Bar
from rich.progress import TaskID

from tests.bench.national.gauge import Gauge
from tests.bench.national.load import Progress
from tests.bench.national.plan import SERVICES, Plan
from tests.bench.national.stack import Stack

SQL = aiosql.from_path(Path(__file__).parent / "positions.sql", "asyncpg")
MILLION = 1_000_000
TURN_SECONDS = 0.5
LOST = (
    *(OSError, TimeoutError, ValueError, http.client.HTTPException),
    *(asyncpg.PostgresError, asyncpg.InterfaceError),
)
"""What a server answers, or does not, while it is being started again."""

Row = dict[str, Any]


@dataclass(frozen=True)
class Marks:
    """What the meters and positions were at one moment."""

    at: float
    cpu: Mapping[str, float]
    appended: int
    relayed: int
    projected: int


class Watch:
    """`run` looks every half second; `note` gets a row at each million events projected."""

    def __init__(
        self,
        plan: Plan,
        stack: Stack,
        progress: Progress,
        bar: tuple[Bar, TaskID],
        note: Callable[[Row], None],
    ) -> None:
        self._plan = plan
        self._stack = stack
        self._progress = progress
        self._bar, self._task = bar
        self._note = note
        self._gauge = Gauge(stack)
        self._relayed = dict.fromkeys(SERVICES, 0)
        self._whole = False

    async def run(self) -> None:
        """Until everything of the plan is projected."""
        await self._look()
        self._last = self._marks()
        self._whole = self._last.projected % MILLION == 0
        self._show()
        while self._progress.done < self._plan.events:
            await asyncio.sleep(TURN_SECONDS)
            await self._look()
            self._show()
            if self._progress.done // MILLION > self._last.projected // MILLION:
                await self._row()
        await self._row()

    async def _look(self) -> None:
        if fallen := await asyncio.to_thread(self._stack.fallen):
            self._bar.console.print(f"{', '.join(fallen)} fell and is started again")
            await asyncio.to_thread(self._stack.up, lambda _: None)
        with contextlib.suppress(*LOST):
            self._relayed |= await asyncio.to_thread(self._gauge.relayed)
            self._progress.projected.update(await self._projected())

    async def _projected(self) -> dict[str, int]:
        """How far the slowest of all readers is in each log."""
        slowest: dict[str, list[int]] = {source: [] for source in SERVICES}
        for service in SERVICES:
            connection = await asyncpg.connect(self._stack.dsn(service), timeout=5)
            try:
                async for row in SQL.projected(connection):
                    slowest[row["source"]].append(row["position"])
            finally:
                await connection.close()
        return {source: min(places, default=0) for source, places in slowest.items()}

    def _marks(self) -> Marks:
        return Marks(
            time.monotonic(),
            self._gauge.cpu(),
            sum(self._progress.appended.values()),
            sum(self._relayed.values()),
            self._progress.done,
        )

    async def _row(self) -> None:
        before, now = self._last, self._marks()
        events, seconds = now.projected - before.projected, now.at - before.at
        if not events:
            return
        cpu = {name: used - before.cpu.get(name, 0.0) for name, used in now.cpu.items()}
        memory = await asyncio.to_thread(self._gauge.memory)
        disk = await asyncio.to_thread(self._gauge.disk)
        self._last = now
        whole = self._whole and events >= 0.9 * MILLION
        self._whole = True
        self._tell(
            {
                "million": round(now.projected / MILLION, 2),
                "whole": whole,
                "events": events,
                "seconds": round(seconds, 2),
                "per_second": {
                    "append": round((now.appended - before.appended) / seconds),
                    "relay": round((now.relayed - before.relayed) / seconds),
                    "projection": round(events / seconds),
                },
                "wall_us_per_event": round(seconds / events * 1e6, 2),
                "cpu_us_per_event": round(sum(cpu.values()) / events * 1e6, 2),
                "cpu_seconds": {name: round(used, 2) for name, used in cpu.items()},
                "memory_mb": memory,
                "disk_bytes": disk,
            }
        )

    def _tell(self, row: Row) -> None:
        self._note(row)
        line = (
            "{million:>5.2f} M: {per_second[projection]:,} events/s, {cpu_us_per_event} CPU us each"
        )
        self._bar.console.print(line.format(**row), highlight=False)

    def _show(self) -> None:
        done, ahead = self._progress.done, self._progress.ahead
        self._bar.update(self._task, completed=done, ahead=f"{ahead:,} to project")
