"""What follows from the absence of events: ticks look at the clock and name what is due."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from hashlib import sha256
from uuid import NAMESPACE_URL, UUID, uuid5

import orjson

from shared.clock.clock import BusinessClock
from shared.errors import Refused
from shared.eventstore import Appended, Command, CommandHandler, CommandReused, Context, Request
from shared.telemetry import span, traceparent
from shared.telemetry.metrics import TICKS

log = logging.getLogger(__name__)

Tick = Callable[[datetime], Awaitable[Sequence[Command]]]
"""Names the commands that are due at this business time. Called again and again: what it names
twice happens once, for a command's id is its name and its body without `as_of` and `occurred_at`.
So a body says what it is about and which deadline has passed."""

AT_ONCE = 500
MOST_REMEMBERED = 500_000
_IDS = uuid5(NAMESPACE_URL, "urn:kawal:scheduler")
_VOLATILE = frozenset({"as_of", "occurred_at"})


class Scheduler:
    """Runs the ticks every few seconds, and at once when a simulated clock has moved.

    Several processes may run it: the commands' ids are deterministic, so each happens once.
    """

    def __init__(
        self,
        service: str,
        clock: BusinessClock,
        handler: CommandHandler,
        ticks: Sequence[Tick],
        context: Callable[[Sequence[Command]], Awaitable[Context]],
        *,
        settled: Callable[[], Awaitable[None]] | None = None,
        seconds: float = 5.0,
    ) -> None:
        """`context` is made for each list of commands; `settled` waits for the read models."""
        self._service = service
        self._clock = clock
        self._handler = handler
        self._ticks = tuple(ticks)
        self._context = context
        self._settled = settled
        self._seconds = seconds
        self._done: OrderedDict[UUID, None] = OrderedDict()
        self._turn = asyncio.Lock()

    async def run(self) -> None:
        """Until cancelled; a tick that fails is logged and tried again at the next turn."""
        while True:
            await asyncio.sleep(self._seconds)
            await self.turn_if_possible()

    async def turn_if_possible(self) -> None:
        """A turn; one that fails is logged, for another comes soon."""
        try:
            await self._clock.refresh()
            await self.turn()
        except Exception:
            log.exception("the scheduler's turn failed")

    async def turn(self) -> int:
        """All ticks once at the present business time; how many commands were accepted now."""
        if not self._ticks:
            return 0
        async with self._turn:
            if self._settled is not None:
                await self._settled()
            now = self._clock.now()
            with span("scheduler turn"):
                return sum([await self._tick(tick, now) for tick in self._ticks])

    async def _tick(self, tick: Tick, now: datetime) -> int:
        try:
            due = await tick(now)
        except Exception:
            log.exception("a tick failed")
            return 0
        new: dict[UUID, Command] = {}
        for command in due:
            command_id = self.command_id(command)
            if command_id not in self._done:
                new[command_id] = command
        pairs = list(new.items())
        accepted = 0
        for start in range(0, len(pairs), AT_ONCE):
            accepted += await self._issue(pairs[start : start + AT_ONCE])
        return accepted

    async def _issue(self, pairs: Sequence[tuple[UUID, Command]]) -> int:
        context = await self._context([command for _, command in pairs])
        parent = traceparent()
        requests = [
            Request(command, command_id, fingerprint(command), context, traceparent=parent)
            for command_id, command in pairs
        ]
        accepted = 0
        answers = await self._handler.handle_many(requests)
        for request, answer in zip(requests, answers, strict=True):
            accepted += self._note(request, answer)
        return accepted

    def _note(self, request: Request, answer: Appended | Exception) -> bool:
        """A refusal is not remembered: what the rules refuse now they may accept later."""
        fresh = isinstance(answer, Appended) and not answer.replayed
        outcome = "accepted" if fresh else "repeated"
        if isinstance(answer, Exception) and not isinstance(answer, CommandReused):
            refused = isinstance(answer, Refused)
            outcome = answer.code if refused else "failed"
            # A refusal comes again at every turn; anything else is worth a look.
            level = logging.DEBUG if refused else logging.WARNING
            log.log(level, "not now: %s: %r", request.command.name, answer)
        else:
            self._remember(request.command_id)
        TICKS.labels(self._service, outcome).inc()
        return fresh

    def _remember(self, command_id: UUID) -> None:
        self._done[command_id] = None
        if len(self._done) > MOST_REMEMBERED:
            self._done.popitem(last=False)

    def command_id(self, command: Command) -> UUID:
        return uuid5(_IDS, f"{self._service}\n{fingerprint(command).hex()}")


def fingerprint(command: Command) -> bytes:
    body = command.model_dump(mode="json", exclude=set(_VOLATILE))
    content = orjson.dumps(body, option=orjson.OPT_SORT_KEYS)
    return sha256(command.name.encode() + b"\n" + content).digest()
