"""One letter, read from its own stream: what it says is never older than its last answer."""

from collections.abc import Sequence
from typing import Any

import orjson

from services.exchange.domain import letters
from services.exchange.domain.agencies import agency_of
from services.exchange.domain.letters import Letter
from shared.contracts.base import Event, decode
from shared.contracts.exchange import LetterFollowedUp, LetterRendered
from shared.errors import Forbidden, NotFound
from shared.eventstore import Recorded
from shared.runtime import Service
from shared.web.principal import Principal

NOT_SENT = ("drafted", "issued")


async def read_letter(
    service: Service, who: Principal, agency: str | None, letter: str
) -> tuple[dict[str, Any], int]:
    """The letter and its version, for who may read it."""
    state, events, recorded = await _read(service, who, agency, letter)
    return _shown(state, events, recorded), recorded[-1].version


async def document_of(
    service: Service, who: Principal, agency: str | None, letter: str
) -> LetterRendered:
    """The letter's document, for who may read the letter."""
    _, events, _ = await _read(service, who, agency, letter)
    for event in events:
        if isinstance(event, LetterRendered):
            return event
    raise NotFound(f"Letter {letter} has no document yet.")


async def _read(
    service: Service, who: Principal, agency: str | None, letter: str
) -> tuple[Letter, Sequence[Event], Sequence[Recorded]]:
    recorded = await service.store.read_stream(letters.stream(letter))
    if not recorded:
        raise NotFound(f"The exchange knows no letter {letter}.")
    events = [decode(each.type, each.data) for each in recorded]
    state = letters.NOTHING
    for event in events:
        state = letters.evolve(state, event)
    _admit(who, agency, letter, state)
    return state, events, recorded


def _admit(who: Principal, agency: str | None, letter: str, state: Letter) -> None:
    """Staff by the letter's region; an agency what was sent to it, or to one of its offices."""
    if agency is None:
        who.require_region(state.region)
    elif agency not in (state.drafted.addressee, *map(agency_of, state.drafted.copies)):
        raise Forbidden(f"Letter {letter} is not addressed to {agency}.")
    elif state.state in NOT_SENT:
        raise NotFound(f"The exchange knows no letter {letter}.")


def _shown(state: Letter, events: Sequence[Event], recorded: Sequence[Recorded]) -> dict[str, Any]:
    return {
        **state.drafted.model_dump(mode="json"),
        "sites": state.sites,
        "changes": state.changes,
        "state": state.state,
        "number": state.number or None,
        "document": state.document or None,
        "answer_due": state.answer_due,
        "follow_up_due": state.follow_up_due,
        "escalated": sorted(state.escalated),
        "assignments": [
            assignment
            for event in events
            if isinstance(event, LetterFollowedUp)
            for assignment in event.assignments
        ],
        "timeline": [_entry(each) for each in recorded],
    }


def _entry(event: Recorded) -> dict[str, Any]:
    meta = orjson.loads(event.meta)
    return {
        "type": event.type,
        "position": event.position,
        "occurred_at": meta["occurred_at"],
        "recorded_at": event.recorded_at,
        "actor": meta["actor"],
        "agency": meta["agency"],
    }
