"""Commands that policies decide on: stored with the checkpoint, carried out afterwards, once."""

import asyncio
import hashlib
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

import asyncpg
import orjson

from shared.bus.message import Message
from shared.errors import Refused
from shared.eventstore import Appended, Command, CommandHandler, CommandReused, Conflict, Request
from shared.projection import metrics, queries, tracing
from shared.projection.base import Policy
from shared.projection.errors import describe, heals
from shared.projection.patience import Pause
from shared.projection.ports import ContextFactory

log = logging.getLogger(__name__)

BATCH = 500
POLL_SECONDS = 1.0
SETTLED_POLL_SECONDS = 0.05
"""How often a waiter looks: what it waits for may be carried out by another process."""
REFUSALS = 10
"""How often an `Intent(retry=True)` is refused before the refusal stands."""
FAILURES = 8
"""How often an unexpected error or a conflict is tried again before the intent counts as failed."""
MAX_DELAY_SECONDS = 30.0


_COLUMNS = (
    "ids",
    "positions",
    "ordinals",
    "events",
    "commands",
    "payloads",
    "retries",
    "traces",
)


async def store_intents(
    policy: Policy, connection: asyncpg.Connection, messages: Sequence[Message]
) -> None:
    """Let the policy react and keep what it wants done, in the caller's transaction."""
    rows = [
        (
            policy.command_id(message.id, intent.suffix),
            message.position,
            ordinal,
            message.id,
            intent.command.name,
            intent.command.model_dump_json(exclude_none=True),
            intent.retry,
            message.traceparent,
        )
        for message in messages
        for ordinal, intent in enumerate(await policy.react(connection, message))
    ]
    if rows:
        columns = dict(zip(_COLUMNS, map(list, zip(*rows, strict=True)), strict=True))
        source = messages[0].service
        await queries.intent.add(connection, policy=policy.name, source=source, **columns)


def fingerprint(command: Command) -> bytes:
    """Tells a repeated command from another one under the same id."""
    content = command.model_dump(mode="json", exclude_none=True)
    body = orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(command.name.encode() + body).digest()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of an intent: its state, what to show, and when to try again if pending."""

    state: str
    outcome: dict[str, object]
    delay: float = 0.0


class Executor:
    """Carries out pending intents, the longest due first, as often as it takes.

    Those of one policy are due in the order of their events, but for one that is tried again.

    A kill between a command's append and the note of it makes the command run again under the
    same id, which the event store answers from what it stored.
    """

    def __init__(
        self,
        pool: asyncpg.Pool,
        policies: Sequence[Policy],
        handler: CommandHandler,
        context: ContextFactory,
    ) -> None:
        self._pool = pool
        self._names = [policy.name for policy in policies]
        self._commands = {(p.name, command.name): command for p in policies for command in p.issues}
        self._handler = handler
        self._context = context
        self._work = asyncio.Event()
        self._settled = asyncio.Event()

    def wake(self) -> None:
        self._work.set()

    async def run(self) -> None:
        """For ever; an outage of the database is waited out."""
        pause = Pause()
        while True:
            try:
                self._work.clear()
                if await self.step() < BATCH:
                    await self._rest()
                pause.over()
            except Exception as error:
                log.warning("policies wait: %s", describe(error))
                await pause.wait()

    async def step(self) -> int:
        """Carry out what is due, at most `BATCH`; answers how many intents that were."""
        rows = queries.intent.due(self._pool, policies=self._names, limit=BATCH)
        due = [row async for row in rows]
        if due:
            await self._settle(due, await self._carry_out(due))
        return len(due)

    async def settled(self, policy: str, source: str, position: int) -> None:
        """Return when every intent of `policy` up to `position` has its outcome."""
        while True:
            self._settled.clear()
            if not await queries.intent.unsettled(
                self._pool, policy=policy, source=source, position=position
            ):
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(SETTLED_POLL_SECONDS):
                    await self._settled.wait()

    async def _rest(self) -> None:
        due = await queries.intent.next_due(self._pool, policies=self._names)
        seconds = POLL_SECONDS if due is None else min(max(due, 0.01), POLL_SECONDS)
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._work.wait()

    async def _carry_out(self, due: Sequence[asyncpg.Record]) -> list[Verdict]:
        verdicts: dict[UUID, Verdict] = {}
        ready: list[tuple[asyncpg.Record, Command]] = []
        for row in due:
            try:
                kind = self._commands[row["policy"], row["command"]]
                ready.append((row, kind.model_validate_json(row["payload"])))
            except Exception as error:
                verdicts[row["command_id"]] = Verdict("failed", {"error": describe(error)})
        results = await self._handle(ready)
        for (row, _), result in zip(ready, results, strict=True):
            verdicts[row["command_id"]] = judge(row, result)
        return [verdicts[row["command_id"]] for row in due]

    async def _handle(
        self, ready: Sequence[tuple[asyncpg.Record, Command]]
    ) -> Sequence[Appended | Exception]:
        """All in one go; where that fails as a whole, one by one, so that a bad one is alone."""
        if not ready:
            return ()
        context = await self._context([command for _, command in ready])
        spans = [tracing.command(r["policy"], r["command"], r["traceparent"]) for r, _ in ready]
        requests = [
            Request(
                command=command,
                command_id=row["command_id"],
                fingerprint=fingerprint(command),
                context=context,
                correlation_id=row["event_id"],
                causation_id=row["event_id"],
                traceparent=tracing.traceparent(span, row["traceparent"]),
            )
            for (row, command), span in zip(ready, spans, strict=True)
        ]
        try:
            return await self._handler.handle_many(requests)
        except Exception as error:
            if heals(error):
                raise
            log.exception("policies: a batch of commands failed as a whole")
            return [await self._handle_one(request) for request in requests]
        finally:
            for span in spans:
                span.end()

    async def _handle_one(self, request: Request) -> Appended | Exception:
        try:
            return (await self._handler.handle_many([request]))[0]
        except Exception as error:
            if heals(error):
                raise
            return error

    async def _settle(self, due: Sequence[asyncpg.Record], verdicts: Sequence[Verdict]) -> None:
        await queries.intent.settle(
            self._pool,
            ids=[row["command_id"] for row in due],
            states=[verdict.state for verdict in verdicts],
            outcomes=[orjson.dumps(verdict.outcome, default=str).decode() for verdict in verdicts],
            delays=[verdict.delay for verdict in verdicts],
        )
        for row, verdict in zip(due, verdicts, strict=True):
            metrics.INTENTS.labels(row["policy"], verdict.state).inc()
        self._settled.set()


def judge(row: asyncpg.Record, result: Appended | Exception) -> Verdict:
    """A refusal is an answer, kept and shown; what may heal is tried again, later each time."""
    attempts = row["attempts"] + 1
    delay = min(MAX_DELAY_SECONDS, 0.2 * 2**attempts)
    match result:
        case Refused():
            again = row["retry"] and attempts < REFUSALS
            return Verdict("pending" if again else "refused", result.problem(), delay)
        case CommandReused():
            return Verdict("failed", {"error": describe(result)})
        case Exception():
            again = attempts < FAILURES or isinstance(result, Conflict) or heals(result)
            return Verdict("pending" if again else "failed", {"error": describe(result)}, delay)
        case _:
            return Verdict("done", {"position": result.last})
