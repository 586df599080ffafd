"""A service's worker: its projections and policies, from the streams to the database, for ever."""

import asyncio
import logging
from collections.abc import Collection, Coroutine, Mapping, Sequence
from uuid import UUID

import asyncpg

from shared.eventstore import CommandHandler
from shared.projection import metrics, parking, queries
from shared.projection.base import Policy, Projection
from shared.projection.consumer import Consumer, Reactor, ReadModel
from shared.projection.errors import OtherLog, Stale, WaitTimeout, describe
from shared.projection.hub import Hub
from shared.projection.intents import Executor
from shared.projection.lane import Lane
from shared.projection.parking import Parked
from shared.projection.patience import patiently
from shared.projection.ports import ContextFactory, OpenFeed, Replay
from shared.projection.rebuild import Builder, Report, progress_bar
from shared.projection.registry import register
from shared.projection.writer import Guard

log = logging.getLogger(__name__)

MEASURE_SECONDS = 2.0
POLL_SECONDS = 0.05


class Worker:
    """Runs `projections` and `policies` of `service`; outages of Postgres or NATS are waited out.

    The pool needs a connection for each projection and policy at work, and one for each build.
    Without `run`, in a process that only answers queries, everything else works on the database.
    """

    def __init__(
        self,
        service: str,
        *,
        pool: asyncpg.Pool,
        replay: Replay,
        open_feed: OpenFeed,
        projections: Sequence[Projection] = (),
        policies: Sequence[Policy] = (),
        handler: CommandHandler | None = None,
        context: ContextFactory | None = None,
    ) -> None:
        if policies and (handler is None or context is None):
            raise ValueError("policies need a command handler and a context")
        self.service = service
        self._pool = pool
        self._replay = replay
        self._guard = Guard()
        self._builder = Builder(pool, replay, self._guard)
        self._executor = Executor(pool, policies, handler, context) if policies else None
        consumers: list[Consumer] = [ReadModel(projection) for projection in projections]
        consumers += [Reactor(policy, self._executor.wake) for policy in policies]
        self._consumers = {consumer.name: consumer for consumer in consumers}
        if len(self._consumers) != len(consumers):
            raise ValueError("two projections or policies have the same name")
        self._lanes = {
            (consumer.name, source): Lane(
                consumer, source, pool, replay, self._guard, on_stale=self._on_stale
            )
            for consumer in consumers
            for source in consumer.sources
        }
        for (name, source), lane in self._lanes.items():
            reads = [self._lanes.get((read, source)) for read in self._consumers[name].reads]
            lane.behind = [before for before in reads if before is not None]
        lanes = self._lanes.values()
        self._hubs = [
            Hub(
                source,
                [lane for lane in lanes if lane.source == source],
                open_feed,
                replay,
                own=source == service,
            )
            for source in sorted({lane.source for lane in lanes})
        ]
        self._building: dict[str, float] = {}
        self._tasks: asyncio.TaskGroup | None = None

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as self._tasks:
            for consumer in self._consumers.values():
                self._tasks.create_task(self._consume(consumer), name=f"consume {consumer.name}")
            for hub in self._hubs:
                self._tasks.create_task(hub.run(), name=f"read {hub.source}")
            if self._executor is not None:
                self._tasks.create_task(self._executor.run(), name="policies")
            self._tasks.create_task(self._measure(), name="measure")

    def log_reaches(self, position: int) -> None:
        """The service's own log is known to hold `position`: nobody need be asked for that."""
        for hub in self._hubs:
            if hub.source == self.service:
                hub.owner_reaches(position)

    def positions(self) -> dict[str, dict[str, int]]:
        """How far each projection and policy is in each source, in the running worker."""
        positions: dict[str, dict[str, int]] = {name: {} for name in self._consumers}
        for (name, source), lane in self._lanes.items():
            positions[name][source] = lane.position
        return positions

    async def wait_for(
        self,
        source: str,
        position: int,
        timeout: float = 5.0,
        names: Collection[str] | None = None,
    ) -> None:
        """Return when `names` (None: every projection here) show `source` up to `position`.

        For a policy: when its commands for these events have been carried out, refused or failed.
        `WaitTimeout` after `timeout` seconds.
        """
        lanes = [lane for lane in self._lanes_of(names) if lane.source == source]
        try:
            async with asyncio.timeout(timeout):
                for lane in lanes:
                    await self._reach(lane, position)
        except TimeoutError:
            raise WaitTimeout(f"{source} {position} was not reached in {timeout:g} s") from None

    async def rebuild(self, name: str, report: Report | None = None) -> None:
        """Build a read model anew beside the live one and flip; a progress bar on a terminal."""
        consumer = self._consumers[name]
        if not isinstance(consumer, ReadModel):
            raise ValueError(f"{name} is a policy: what it has decided stays decided")
        await register(self._pool, consumer, self._replay)
        await self._rebuild(consumer, report, always=True)

    async def parked(
        self,
        name: str | None = None,
        *,
        event_id: UUID | None = None,
        limit: int | None = None,
    ) -> list[Parked]:
        return await parking.list_parked(self._pool, name, event_id, limit)

    async def retry(self, name: str, source: str | None = None, key: str | None = None) -> int:
        """Try parked events again, of one key or of all; answers how many were applied."""
        rows = queries.parking.keys(self._pool, name=name, source=source, key=key)
        waiting = [(row["source"], row["key"]) async for row in rows]
        consumer = self._consumers[name]
        applied = 0
        for one in waiting:
            applied += await parking.retry(self._pool, self._replay, consumer, *one)
        self._resume(name)
        return applied

    async def retry_intent(self, command_id: UUID) -> bool:
        """Queue a refused or failed command of a policy again, under its id; False: no such one."""
        again = await queries.intent.again(self._pool, command_id=command_id)
        if again and self._executor is not None:
            self._executor.wake()
        return bool(again)

    async def trouble(
        self, policy: str | None = None, *, limit: int | None = None
    ) -> list[Mapping[str, object]]:
        """Commands of policies that were refused or failed."""
        rows = queries.intent.trouble(self._pool, policy=policy, limit=limit)
        return [dict(row) async for row in rows]

    async def status(self) -> dict[str, dict[str, object]]:
        """For operators: of each its state, build progress (0 to 1), and place in each source."""
        parked = {
            (row["name"], row["source"]): row["parked"]
            async for row in queries.parking.count_parked(self._pool)
        }
        return {
            name: {
                "kind": consumer.kind,
                "version": consumer.version,
                "state": "building" if name in self._building else "live",
                "progress": self._building.get(name, 1.0),
                "sources": {
                    source: {
                        "position": lane.position,
                        "lag": lane.lag_events,
                        "lag_seconds": lane.lag_seconds,
                        "parked": parked.get((name, source), 0),
                    }
                    for (of, source), lane in self._lanes.items()
                    if of == name
                },
            }
            for name, consumer in self._consumers.items()
        }

    def _lanes_of(self, names: Collection[str] | None) -> list[Lane]:
        if names is None:
            names = [n for n, consumer in self._consumers.items() if consumer.kind == "projection"]
        if unknown := set(names) - set(self._consumers):
            raise ValueError(f"no projection or policy {', '.join(sorted(unknown))}")
        return [lane for (name, _), lane in self._lanes.items() if name in names]

    async def _reach(self, lane: Lane, position: int) -> None:
        while self._tasks is None and await self._stored_position(lane) < position:
            await asyncio.sleep(POLL_SECONDS)
        if self._tasks is not None:
            await lane.progress.wait(position)
        if lane.consumer.kind == "policy" and self._executor is not None:
            await self._executor.settled(lane.consumer.name, lane.source, position)

    async def _stored_position(self, lane: Lane) -> int:
        """What another process has saved; -1 while nothing can be known."""
        place = {"name": lane.consumer.name, "source": lane.source, "generation": None}
        try:
            row = await queries.checkpoint.load(self._pool, **place)
        except Exception as error:
            log.debug("%s is not known: %s", place["name"], describe(error))
            return -1
        return row["position"] if row else -1

    async def _consume(self, consumer: Consumer) -> None:
        row = await patiently(lambda: register(self._pool, consumer, self._replay), consumer.name)
        lanes = [lane for lane in self._lanes.values() if lane.consumer is consumer]
        if row["building"] is not None and row["version"] == consumer.version:
            self._start_build(consumer)
        async with asyncio.TaskGroup() as tasks:
            for lane in lanes:
                tasks.create_task(lane.run(), name=f"{consumer.name} from {lane.source}")

    def _on_stale(self, lane: Lane, stale: Stale) -> None:
        if lane.consumer.kind == "projection":
            self._start_build(lane.consumer)
        elif isinstance(stale, OtherLog):
            self._spawn(self._follow_other_log(lane, stale))

    def _start_build(self, consumer: Consumer) -> None:
        if isinstance(consumer, ReadModel) and consumer.name not in self._building:
            self._building[consumer.name] = 0.0
            self._spawn(
                patiently(lambda: self._rebuild(consumer, None, always=False), consumer.name)
            )

    async def _follow_other_log(self, lane: Lane, stale: OtherLog) -> None:
        name = lane.consumer.name
        change = {"name": name, "source": stale.source, "log_id": stale.log_id}
        await patiently(lambda: queries.generation.other_log(self._pool, **change), name)
        lane.resume()

    async def _rebuild(self, consumer: ReadModel, report: Report | None, *, always: bool) -> None:
        name = consumer.name
        try:
            with progress_bar(name) as bar:

                def tell(done: int, total: int) -> None:
                    self._building[name] = done / total if total else 1.0
                    (report or bar)(done, total)

                await self._builder.rebuild(consumer, tell, always=always)
        finally:
            self._building.pop(name, None)
        self._resume(name)

    def _resume(self, name: str) -> None:
        for lane in self._lanes_of([name]):
            lane.resume()

    def _spawn(self, act: Coroutine[None, None, object]) -> None:
        if self._tasks is not None:
            self._tasks.create_task(act)

    async def _measure(self) -> None:
        while True:
            try:
                async for row in queries.parking.count_parked(self._pool):
                    metrics.PARKED.labels(row["name"], row["source"]).set(row["parked"])
            except Exception as error:
                log.debug("parked events are not counted: %s", describe(error))
            for (name, source), lane in self._lanes.items():
                metrics.POSITION.labels(name, source).set(lane.position)
                metrics.LAG_EVENTS.labels(name, source).set(lane.lag_events)
                metrics.LAG_SECONDS.labels(name, source).set(lane.lag_seconds)
            await asyncio.sleep(MEASURE_SECONDS)
