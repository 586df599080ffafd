"""Sends what is due to one endpoint, a few at a time, and ends when nothing is.

A fact waits for those before it about the same entity, and for no other: one that fails holds back
its own entity, an endpoint that hangs only itself.
"""

import asyncio
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import asyncpg
from opentelemetry.trace import SpanKind, StatusCode

from services.exchange.webhooks import metrics
from services.exchange.webhooks.events import Events, Sent
from services.exchange.webhooks.queries import SQL
from services.exchange.webhooks.sender import GONE, Outcome, Sender
from services.exchange.webhooks.settings import WebhookSettings
from shared.telemetry import span

CLAIMED = 50
CLAIM_SECONDS = 1.0
"""How long a claim is good: what happened to the endpoint since is heeded by the next."""
GiveUp = Callable[[str, str, int], Awaitable[None]]
"""Disables an endpoint: its name, `gone` or `failing`, the number of the try that showed it."""


class Courier:
    def __init__(
        self,
        endpoint: str,
        *,
        events: Events,
        pool: asyncpg.Pool,
        sender: Sender,
        settings: WebhookSettings,
        give_up: GiveUp,
    ) -> None:
        self._endpoint = endpoint
        self._events = events
        self._pool = pool
        self._sender = sender
        self._settings = settings
        self._give_up = give_up
        self._backlog: deque[Any] = deque()
        self._done: list[tuple[Any, Outcome]] = []
        self._busy: set[UUID] = set()
        self._under_way = 0
        self._claimed_at = 0.0
        self._failing = False
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """There may be more to send."""
        self._woken.set()

    async def run(self) -> None:
        """Until nothing is due and nothing under way."""
        async with asyncio.TaskGroup() as group:
            self._woken.set()
            while self._busy or self._woken.is_set():
                await self._woken.wait()
                self._woken.clear()
                if time.monotonic() - self._claimed_at > CLAIM_SECONDS:
                    self._put_back()
                self._start(group)
                await self._note()
                if not self._backlog:
                    await self._claim()
                    self._start(group)

    def _start(self, group: asyncio.TaskGroup) -> None:
        """A few at a time; one alone while they fail."""
        most = 1 if self._failing else self._settings.at_once
        while self._backlog and self._under_way < most:
            self._under_way += 1
            group.create_task(self._deliver(*self._backlog.popleft()))

    async def _claim(self) -> None:
        target = await SQL.target(self._pool, endpoint=self._endpoint, anyway=False)
        if target is None:
            return
        asked = {"endpoint": self._endpoint, "busy": list(self._busy), "limit": CLAIMED}
        self._backlog.extend([(row, target) async for row in SQL.claim(self._pool, **asked)])
        self._busy.update(row["id"] for row, _ in self._backlog)
        self._claimed_at = time.monotonic()

    async def _note(self) -> None:
        """What was delivered since the last time, by one statement."""
        if done := self._done:
            self._done = []
            columns = {
                "ids": [row["id"] for row, _ in done],
                "behinds": [row["behind"] for row, _ in done],
                "statuses": [outcome.status for _, outcome in done],
                "latencies": [outcome.latency_ms for _, outcome in done],
            }
            await SQL.delivered(self._pool, endpoint=self._endpoint, **columns)
            self._busy.difference_update(columns["ids"])
            self._woken.set()

    async def _deliver(self, row: Any, target: Any) -> None:
        try:
            event = await self._events.at(row["event_position"])
            outcome = await self._try(row, target, event)
            metrics.SECONDS.observe(outcome.latency_ms / 1_000)
            self._failing = not outcome.ok
            if outcome.ok:
                self._done.append((row, outcome))
                metrics.TRIES.labels("delivered").inc()
                metrics.AGE.observe(time.time() - row["queued_at"].timestamp())
            else:
                await self._failed(row, outcome)
        finally:
            self._under_way -= 1
            self._woken.set()

    async def _try(self, row: Any, target: Any, event: Sent) -> Outcome:
        """Within the trace of the request that the fact comes from."""
        caused_by = event.traceparent
        fact = event.type.rpartition(".")[0]
        with span(f"webhook {fact}", SpanKind.CLIENT, caused_by=caused_by) as current:
            body = event.body
            behind = str(row["behind"] or "")
            url, secrets = target["url"], target["secrets"]
            outcome = await self._sender.send(url, secrets, str(row["id"]), body, behind)
            if not outcome.ok:
                current.set_status(StatusCode.ERROR, outcome.error or str(outcome.status))
        return outcome

    async def _failed(self, row: Any, outcome: Outcome) -> None:
        known = {"id": row["id"], "endpoint": self._endpoint, "behind": row["behind"]}
        took = {"status": outcome.status, "latency_ms": outcome.latency_ms}
        seconds = self._pause(row["tries"] + 1, outcome)
        pause = seconds if outcome.slow_down else None
        failed = {"error": outcome.error, "seconds": seconds, "pause": pause}
        found = await SQL.failed(self._pool, **known, **took, **failed)
        self._busy.discard(row["id"])
        metrics.TRIES.labels("failed" if seconds is not None else "dead").inc()
        self._put_back()
        if outcome.status == GONE:
            await self._give_up(self._endpoint, "gone", found["attempt"])
        elif found["failing_seconds"] > self._settings.give_up_after:
            await self._give_up(self._endpoint, "failing", found["attempt"])

    def _put_back(self) -> None:
        """What was claimed is claimed anew, if it may be sent at all and to where."""
        self._busy.difference_update(row["id"] for row, _ in self._backlog)
        self._backlog.clear()

    def _pause(self, tries: int, outcome: Outcome) -> float | None:
        """Seconds until the next try; None if the last one was made."""
        schedule, jitter = self._settings.schedule, self._settings.jitter
        if tries >= len(schedule):
            return None
        asked = min(outcome.retry_after or 0.0, self._settings.longest_pause)
        return max(schedule[tries] * random.uniform(1 - jitter, 1 + jitter), asked)
