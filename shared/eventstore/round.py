"""One round: requests decided in order, each on the states that those before it leave behind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from shared.contracts.base import Event
from shared.errors import Forbidden, Invalid, Refused
from shared.eventstore import results
from shared.eventstore.cache import Versioned
from shared.eventstore.command import Asked, Command, Context, Decider, Request
from shared.eventstore.ids import uuid7
from shared.eventstore.model import Append, Expected, Metadata, NewEvent, Write

EARLY = timedelta(hours=24)
LATE = timedelta(days=3660)


@dataclass(slots=True)
class Decision:
    """What a request comes to: an append, and the states after it; or an error, or both.

    Both: a refusal whose attempt is recorded. Neither: it is not decided yet.
    """

    asked: Asked
    append: Append | None = None
    after: Mapping[str, Versioned] | None = None
    error: Exception | None = None


class Round:
    """`states` hold the state of every stream that the requests name; they evolve with each."""

    def __init__(self, decider: Decider, states: dict[str, Versioned]) -> None:
        self._decider = decider
        self._states = states
        self._writers: dict[str, UUID] = {}

    def decide(self, asked: Asked) -> Decision:
        """Decide as if everything decided before were appended."""
        request, streams = asked
        decision = Decision(asked)
        try:
            try:
                events = self._events(request, {s: self._states[s][1] for s in streams})
            except Refused as refusal:
                decision.error = refusal
                if not refusal.records:
                    return decision
                events = refusal.records
            self._effect(decision, events)
        except Exception as error:  # a rule that fails must not fail other requests
            decision.append = decision.after = None
            decision.error = error
        return decision

    def _events(self, request: Request, states: Mapping[str, Any]) -> Sequence[Event]:
        command, context = request.command, request.context
        if not context.may(command):
            raise Forbidden(f"{command.name} needs one of the roles {', '.join(command.roles)}")
        for region in self._decider.regions(command, states):
            if not context.covers(region):
                raise Forbidden(f"region {region} is outside the jurisdiction", region=region)
        _bound(command, context)
        return self._decider.decide(command, states, context)

    def _effect(self, decision: Decision, events: Sequence[Event]) -> None:
        request, streams = decision.asked
        writes, after = self._writes(events, recorded=decision.error is not None)
        written = {write.stream for write in writes}
        decision.append = Append(
            request.command_id,
            request.fingerprint,
            writes,
            {s: self._states[s][0] for s in streams if s not in written},
            _metadata(request),
            results.refused(decision.error)
            if isinstance(decision.error, Refused)
            else results.accepted(request.command.told(events)),
            tuple({self._writers[s] for s in {*streams, *written} if s in self._writers}),
        )
        self._writers |= dict.fromkeys(after, request.command_id)
        decision.after = after
        self._states.update(after)

    def _writes(
        self, events: Sequence[Event], *, recorded: bool
    ) -> tuple[tuple[Write, ...], dict[str, Versioned]]:
        """The writes in the order of the events, and the states after them.

        A stream that the command did not name must be new; the record of a refused attempt may
        follow an earlier one.
        """
        unnamed = Expected.ANY if recorded else Expected.NONE
        after: dict[str, Versioned] = {}
        writes: list[tuple[str, int, list[NewEvent]]] = []
        last: str | None = None
        for event in events:
            stream = event.stream
            known = after.get(stream) or self._states.get(stream)
            if stream != last:
                writes.append((stream, known[0] if known else unnamed, []))
                last = stream
            writes[-1][2].append(
                NewEvent(uuid7(), event.type, event.encode(), event.region, event.regions)
            )
            if known is not None:
                after[stream] = (known[0] + 1, self._decider.evolve(known[1], event))
        return tuple(Write(stream, at, tuple(new)) for stream, at, new in writes), after


def _bound(command: Command, context: Context) -> None:
    at = command.occurred_at
    if at is None:
        return
    if at > context.now + EARLY:
        raise Invalid("occurred_at lies in the future", field="occurred_at")
    if at < context.now - LATE:
        raise Invalid("occurred_at lies too far in the past", field="occurred_at")


def _metadata(request: Request) -> Metadata:
    context = request.context
    return Metadata(
        context.actor,
        context.agency,
        request.command.occurred_at or context.now,
        request.correlation_id or request.command_id,
        request.causation_id,
        request.traceparent,
    )
