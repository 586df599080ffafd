"""The decider of the exchange: which rule decides a command, which fold keeps a stream's state."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from services.exchange.domain import (
    agencies,
    answering,
    coverage,
    drafting,
    endpoints,
    issuing,
    letters,
    notices,
    rendering,
    supplements,
)
from shared.contracts.base import Event
from shared.contracts.exchange import AgencyRegistered
from shared.eventstore.command import Command

Decide = Callable[[Any, Mapping[str, Any], Any], Sequence[Event]]

PUBLIC: dict[type[Command], Decide] = {
    agencies.RegisterAgency: agencies.register_agency,
    drafting.DraftLetter: drafting.draft_letter,
    issuing.IssueLetter: issuing.issue_letter,
    answering.DispatchLetter: answering.dispatch_letter,
    answering.AcknowledgeLetter: answering.acknowledge_letter,
    answering.FollowUpLetter: answering.follow_up_letter,
    answering.RefuseLetter: answering.refuse_letter,
    answering.CloseLetter: answering.close_letter,
    endpoints.RegisterEndpoint: endpoints.register_endpoint,
    endpoints.ChangeEndpoint: endpoints.change_endpoint,
    endpoints.DisableEndpoint: endpoints.disable_endpoint,
    endpoints.EnableEndpoint: endpoints.enable_endpoint,
}

INTERNAL: dict[type[Command], Decide] = {
    rendering.RecordDocument: rendering.record_document,
    answering.EscalateLetter: answering.escalate_letter,
    supplements.SupplementLetter: supplements.supplement_letter,
    coverage.CloseCoverage: coverage.close_coverage,
    notices.SendNotice: notices.send_notice,
    endpoints.RotateSecret: endpoints.rotate_secret,
    endpoints.GiveUpEndpoint: endpoints.give_up_endpoint,
}
"""Commands of policies, the scheduler and webhooks: nobody gives them over HTTP as such."""

DECISIONS = PUBLIC | INTERNAL

COMMANDS: tuple[type[Command], ...] = tuple(PUBLIC)

FOLDS: dict[str, tuple[Any, Callable[[Any, Any], Any]]] = {
    "agency": (None, agencies.evolve),
    "register": (issuing.EMPTY, issuing.evolve),
    "letter": (letters.NOTHING, letters.evolve),
    "coverage": (False, coverage.evolve),
    "notice": (False, notices.evolve),
    "endpoint": (None, endpoints.evolve),
}
"""Kind of a stream (its name up to the first hyphen) -> state before any event, fold."""


class ExchangeDecider:
    """States are immutable values, so one initial value serves every stream of its kind."""

    def initial(self, stream: str) -> Any:
        return FOLDS[stream.partition("-")[0]][0]

    def evolve(self, state: Any, event: Event) -> Any:
        return FOLDS[event.stream.partition("-")[0]][1](state, event)

    def decide(self, command: Command, states: Mapping[str, Any], context: Any) -> Sequence[Event]:
        return DECISIONS[type(command)](command, states, context)

    def regions(self, command: Command, states: Mapping[str, Any]) -> Iterable[str]:
        """Regions that the actor must cover: those named, those of the letters named, that of the
        register that a number is taken from, those of endpoints, and those that a known agency had
        before.

        A letter that does not exist yields none; the decision refuses it as not found.
        """
        if region := getattr(command, "region", ""):
            yield region
        yield from getattr(command, "jurisdiction", ())
        if isinstance(command, issuing.IssueLetter):
            yield command.unit_region
        for state in states.values():
            if isinstance(state, letters.Letter) and state.region:
                yield state.region
            if isinstance(state, endpoints.Endpoint):
                yield state.region
            if isinstance(state, AgencyRegistered) and isinstance(command, agencies.RegisterAgency):
                yield from (state.region, *state.jurisdiction)
            if isinstance(state, AgencyRegistered) and isinstance(
                command, endpoints.DescribeEndpoint
            ):
                yield state.region
