"""The way of a command: known already? load, decide, append; and again where another was faster."""

import asyncio
from collections.abc import Iterator, Sequence, Set
from functools import partial

from shared.eventstore import results
from shared.eventstore.cache import StateCache, Versioned
from shared.eventstore.command import Asked, Decider, Request
from shared.eventstore.errors import Conflict
from shared.eventstore.lane import Again, Lane
from shared.eventstore.model import Appended
from shared.eventstore.round import Decision, Round
from shared.eventstore.snapshots import Snapshots
from shared.eventstore.states import States
from shared.eventstore.store import EventStore
from shared.eventstore.together import Together
from shared.eventstore.upcasters import Upcasters

Answer = Appended | Exception

ROUND, ROUND_STREAMS = 250, 1_000
"""Commands decided at a time, and their streams; between two rounds others get their turn."""


class CommandHandler:
    """Decides commands on cached states that the expected versions of the append guard.

    A conflict, and a refusal on a cached state, are decided again on fresh states; in the end
    every answer is one that was right at the moment it was given.
    """

    def __init__(
        self,
        store: EventStore,
        decider: Decider,
        cache: StateCache | None = None,
        upcasters: Upcasters | None = None,
        snapshots: Snapshots | None = None,
    ) -> None:
        self._store = store
        self._decider = decider
        self._cache = StateCache() if cache is None else cache
        self._states = States(store, decider, upcasters or Upcasters(), self._cache, snapshots)
        self._lane = Lane(partial(self._round, fresh=True))
        self._together = Together(self.handle_many)

    async def handle(self, request: Request) -> Appended:
        """The outcome of one command.

        Raises `Refused` (the rules), `Conflict` (after three tries), `CommandReused`,
        `Unavailable` (repeat it with the same id), or what the decider raised.
        """
        answer = await self._together.ask(request)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def handle_many(self, requests: Sequence[Request]) -> list[Answer]:
        """The outcome of each command: those of one stream in this order, none failing another.

        Where others contend for the same streams, one may come after those behind it.
        """
        answers: list[Answer] = []
        for each in rounds(requests):
            answers += await self._handle(each)
        return answers

    async def _handle(self, requests: Sequence[Request]) -> list[Answer]:
        known = await self._store.commands([request.command_id for request in requests])
        answers: list[Answer | None] = [None] * len(requests)
        new: dict[object, int] = {}
        repeated: list[int] = []
        for place, request in enumerate(requests):
            stored = known.get(request.command_id)
            if stored is not None:
                answers[place] = results.replayed(request, stored)
            elif request.command_id in new:
                repeated.append(place)
            else:
                new[request.command_id] = place
        if new:
            outcome = await self._decide([requests[place] for place in new.values()])
            for place, answer in zip(new.values(), outcome, strict=True):
                answers[place] = answer
        if repeated:
            outcome = await self._handle([requests[place] for place in repeated])
            for place, answer in zip(repeated, outcome, strict=True):
                answers[place] = answer
        return answers  # type: ignore[return-value]

    async def _decide(self, requests: Sequence[Request]) -> list[Answer]:
        """Decide at once; what has to wait for others, or to be decided again, takes the lane."""
        answers: list[Answer | Again | asyncio.Future[Answer] | None] = []
        at_once: list[Asked] = []
        for request in requests:
            asked = (request, request.command.streams())
            if self._lane.holds(asked[1]):
                answers.append(self._lane.enter(asked))
            else:
                answers.append(None)
                at_once.append(asked)
        outcome = iter(await self._round(at_once, fresh=False))
        answers = [next(outcome) if answer is None else answer for answer in answers]
        answers = [self._lane.enter(a.asked) if isinstance(a, Again) else a for a in answers]
        return [await a if isinstance(a, asyncio.Future) else a for a in answers]

    async def _round(self, asked: Sequence[Asked], *, fresh: bool) -> list[Answer | Again]:
        if not asked:
            return []
        wanted = dict.fromkeys(stream for _, streams in asked for stream in streams)
        states, cached = await self._states.load(wanted, fresh=fresh)
        decisions = self._decisions(asked, states, cached)
        appends = [decision.append for decision in decisions if decision.append is not None]
        verdicts = iter(await self._store.append_many(appends) if appends else ())
        doubtful = set(cached)
        answers = [
            self._declined(decision, doubtful)
            if decision.append is None
            else self._appended(decision, next(verdicts), doubtful)
            for decision in decisions
        ]
        await self._recognise(decisions, answers)
        return answers

    def _decisions(
        self, asked: Sequence[Asked], states: dict[str, Versioned], cached: Set[str]
    ) -> list[Decision]:
        """Each decided in turn, but not what comes behind an error that is to be decided again."""
        one = Round(self._decider, states)
        decisions: list[Decision] = []
        behind: set[str] = set()
        for each in asked:
            waits = behind and not behind.isdisjoint(each[1])
            decision = Decision(each) if waits else one.decide(each)
            if decision.append is None and (waits or not cached.isdisjoint(each[1])):
                behind.update(each[1])
            decisions.append(decision)
        return decisions

    @staticmethod
    def _declined(decision: Decision, doubtful: set[str]) -> Answer | Again:
        """An error stands only if no state behind it was old, or evolved by what has failed."""
        if decision.error is None or not doubtful.isdisjoint(decision.asked[1]):
            return Again(decision.asked, decision.error)
        return decision.error

    async def _recognise(
        self, decisions: Sequence[Decision], answers: list[Answer | Again]
    ) -> None:
        """What is refused may have met its own effect: a repeat that came while it was appended."""
        refused = [
            (place, decision.asked[0])
            for place, decision in enumerate(decisions)
            if decision.append is None and not isinstance(answers[place], Again)
        ]
        if not refused:
            return
        known = await self._store.commands([request.command_id for _, request in refused])
        for place, request in refused:
            if request.command_id in known:
                answers[place] = results.replayed(request, known[request.command_id])

    def _appended(
        self, decision: Decision, verdict: Appended | Exception, doubtful: set[str]
    ) -> Answer | Again:
        if isinstance(verdict, Appended) and not verdict.replayed:
            self._states.committed(decision.after)
            if decision.error is not None:
                return results.located(decision.error, verdict.last)
            return verdict
        doubtful.update(decision.after)
        if isinstance(verdict, Appended):
            return results.answer(verdict)
        if isinstance(verdict, Conflict):
            if verdict.actual < verdict.expected:
                self._cache.drop([verdict.stream])
            return Again(decision.asked, verdict)
        return verdict


def rounds(requests: Sequence[Request]) -> Iterator[Sequence[Request]]:
    """The requests in order, as many at a time as are decided without a pause."""
    start = streams = 0
    for place, request in enumerate(requests):
        named = len(request.command.streams())
        streams += named
        if place > start and (place - start == ROUND or streams > ROUND_STREAMS):
            yield requests[start:place]
            start, streams = place, named
    if requests:
        yield requests[start:]
