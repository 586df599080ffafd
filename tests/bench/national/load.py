"""Appends the plan through the stores' public append, never far ahead of the projections.

A log's length tells what is in it, so that a load goes on exactly where an earlier one stopped.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from shared.cli.app import Failure
from shared.eventstore import EventStore
from shared.eventstore.model import Append, Appended
from tests.bench.national import custody_facts, inventory_facts
from tests.bench.national.plan import SERVICES, Plan

ROWS = 20_000
"""Of one call, commands and events: some batches of the store."""
TURN = 100
"""Commands made before the loop gets its turn, in which the call before them goes on."""
AHEAD = 300_000
"""Events that may be appended and not yet projected."""
WAIT_SECONDS = 0.05


@dataclass
class Progress:
    """How many events of each log are appended, and how many all read models show."""

    appended: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SERVICES, 0))
    projected: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SERVICES, 0))

    @property
    def done(self) -> int:
        return sum(self.projected.values())

    @property
    def ahead(self) -> int:
        return sum(self.appended.values()) - self.done


class Load:
    """Appends what the stores lack of `plan`."""

    def __init__(self, plan: Plan, stores: Mapping[str, EventStore], progress: Progress) -> None:
        self._plan = plan
        self._stores = stores
        self._progress = progress
        self._pending: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Raises Failure where a store holds something else."""
        begin = {service: await self._begin(service) for service in SERVICES}
        try:
            for part in range(min(part for part, _ in begin.values()), len(self._plan.waves) + 1):
                for service in SERVICES:
                    first, skip = begin[service]
                    if part >= first:
                        await self._part(service, part, skip if part == first else 0)
            await self._settle()
        finally:
            if self._pending is not None:
                self._pending.cancel()

    async def _begin(self, service: str) -> tuple[int, int]:
        """The part of the plan that holds the log's last event, and how many of that are there."""
        position = await self._stores[service].position()
        self._progress.appended[service] = position
        if position > self._plan.totals[service]:
            raise _other_plan(service, position)
        part, start = self._plan.place(service, position)
        return part, position - start

    async def _part(self, service: str, part: int, skip: int) -> None:
        appends = self._appends(service, part)
        if skip:
            await self._recognise(service, _pass(appends, skip))
        chunk: list[Append] = []
        rows = 0
        for number, append in enumerate(appends):
            if number % TURN == 0:
                await asyncio.sleep(0)
            chunk.append(append)
            rows += 1 + sum(len(write.events) for write in append.writes)
            if rows >= ROWS:
                await self._submit(service, chunk)
                chunk, rows = [], 0
        if chunk:
            await self._submit(service, chunk)

    def _appends(self, service: str, part: int) -> Iterator[Append]:
        if part == 0:
            return inventory_facts.shared(self._plan) if service == "inventory" else iter(())
        facts = inventory_facts if service == "inventory" else custody_facts
        return facts.appends(self._plan.waves[part - 1])

    async def _recognise(self, service: str, last: Append | None) -> None:
        """The log must end with the command that the plan has there."""
        position = self._progress.appended[service]
        [recorded] = await self._stores[service].read_all(position - 1, 1)
        if last is None or recorded.command_id != last.command_id:
            raise _other_plan(service, position)

    async def _submit(self, service: str, appends: Sequence[Append]) -> None:
        """Hands over appends when those before them are committed: the store keeps the order of
        one call only."""
        while self._progress.ahead > AHEAD:
            await asyncio.sleep(WAIT_SECONDS)
        await self._settle()
        self._pending = asyncio.create_task(self._append(service, appends))

    async def _settle(self) -> None:
        if self._pending is not None:
            await self._pending

    async def _append(self, service: str, appends: Sequence[Append]) -> None:
        for verdict in await self._stores[service].append_many(appends):
            if not isinstance(verdict, Appended):
                raise verdict
            self._progress.appended[service] = verdict.last


def _pass(appends: Iterator[Append], skip: int) -> Append | None:
    """The append whose events end `skip` events from here; None if none ends there."""
    for append in appends:
        skip -= sum(len(write.events) for write in append.writes)
        if skip <= 0:
            return append if skip == 0 else None
    return None


def _other_plan(service: str, position: int) -> Failure:
    return Failure(f"the log of {service} has something else than this plan at {position}")
