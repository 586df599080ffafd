"""Sends what is due to one endpoint, a few at a time, and ends when nothing is.

A fact waits for those before it about the same entity, and for no other: one that fails holds back
its own entity, an endpoint that hangs only itself.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import asyncpg
from opentelemetry.trace import SpanKind, StatusCode

from services.exchange.webhooks import message, metrics
from services.exchange.webhooks.queries import SQL
from services.exchange.webhooks.sender import GONE, Outcome, Sender
from services.exchange.webhooks.settings import WebhookSettings
from shared.eventstore import EventStore, Recorded
from shared.telemetry import span

GiveUp = Callable[[str, str, int], Awaitable[None]]
"""Disables an endpoint: its name, `gone` or `failing`, the number of the try that showed it."""


class Courier:
    def __init__(
        self,
        endpoint: str,
        *,
        store: EventStore,
        pool: asyncpg.Pool,
        sender: Sender,
        settings: WebhookSettings,
        source: str,
        give_up: GiveUp,
    ) -> None:
        self._endpoint = endpoint
        self._store = store
        self._pool = pool
        self._sender = sender
        self._settings = settings
        self._source = source
        self._give_up = give_up
        self._busy: set[UUID] = set()
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
                await self._start(group)

    async def _start(self, group: asyncio.TaskGroup) -> None:
        free = self._settings.at_once - len(self._busy)
        if not free:
            return
        target = await SQL.target(self._pool, endpoint=self._endpoint, anyway=False)
        if target is None:
            return
        asked = {"endpoint": self._endpoint, "busy": list(self._busy), "limit": free}
        for row in [row async for row in SQL.claim(self._pool, **asked)]:
            self._busy.add(row["id"])
            group.create_task(self._deliver(row, target))

    async def _deliver(self, row: Any, target: Any) -> None:
        try:
            [event] = await self._store.read_all(row["event_position"] - 1, 1)
            outcome = await self._try(row, target, event)
            await self._record(row, outcome)
        finally:
            self._busy.discard(row["id"])
            self._woken.set()

    async def _try(self, row: Any, target: Any, event: Recorded) -> Outcome:
        """Within the trace of the request that the fact comes from."""
        caused_by = event.metadata.traceparent
        with span(f"webhook {event.type}", SpanKind.CLIENT, caused_by=caused_by) as current:
            body = message.body(event, self._source)
            behind = str(row["behind"] or "")
            url, secrets = target["url"], target["secrets"]
            outcome = await self._sender.send(url, secrets, str(row["id"]), body, behind)
            if not outcome.ok:
                current.set_status(StatusCode.ERROR, outcome.error or str(outcome.status))
        return outcome

    async def _record(self, row: Any, outcome: Outcome) -> None:
        known = {"id": row["id"], "endpoint": self._endpoint, "behind": row["behind"]}
        took = {"status": outcome.status, "latency_ms": outcome.latency_ms}
        metrics.SECONDS.observe(outcome.latency_ms / 1_000)
        if outcome.ok:
            await SQL.delivered(self._pool, **known, **took)
            metrics.TRIES.labels("delivered").inc()
            metrics.AGE.observe(time.time() - row["queued_at"].timestamp())
            return
        seconds = self._pause(row["tries"] + 1, outcome)
        pause = seconds if outcome.slow_down else None
        failed = {"error": outcome.error, "seconds": seconds, "pause": pause}
        found = await SQL.failed(self._pool, **known, **took, **failed)
        metrics.TRIES.labels("failed" if seconds is not None else "dead").inc()
        if outcome.status == GONE:
            await self._give_up(self._endpoint, "gone", found["attempt"])
        elif found["failing_seconds"] > self._settings.give_up_after:
            await self._give_up(self._endpoint, "failing", found["attempt"])

    def _pause(self, tries: int, outcome: Outcome) -> float | None:
        """Seconds until the next try; None if the last one was made."""
        schedule, jitter = self._settings.schedule, self._settings.jitter
        if tries >= len(schedule):
            return None
        asked = min(outcome.retry_after or 0.0, self._settings.longest_pause)
        return max(schedule[tries] * random.uniform(1 - jitter, 1 + jitter), asked)
