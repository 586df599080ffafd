"""A letter's life: drafted, issued, dispatched, acknowledged, followed up, closed; or refused."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from services.exchange.domain.errors import WrongState
from shared.contracts.base import Event
from shared.contracts.exchange import (
    AttachedSite,
    LetterAcknowledged,
    LetterAmended,
    LetterClosed,
    LetterDispatched,
    LetterDrafted,
    LetterEscalated,
    LetterFollowedUp,
    LetterIssued,
    LetterRefused,
    LetterRendered,
    LetterState,
    SiteChange,
)
from shared.errors import NotFound


@dataclass(frozen=True, slots=True)
class Letter:
    """`sites` and `changes` are those of the draft as last amended."""

    drafted: LetterDrafted | None = None
    state: LetterState | None = None
    sites: tuple[AttachedSite, ...] = ()
    changes: tuple[SiteChange, ...] = ()
    number: str = ""
    document: str = ""
    """The hash of the document, once there is one."""
    answer_due: datetime | None = None
    follow_up_due: datetime | None = None
    escalated: frozenset[str] = frozenset()

    @property
    def region(self) -> str:
        return self.drafted.region if self.drafted else ""


NOTHING = Letter()


def stream(letter: str) -> str:
    return f"letter-{letter}"


def evolve(state: Letter, event: Event) -> Letter:
    match event:
        case LetterDrafted():
            sites, changes = event.sites, event.changes
            return replace(state, drafted=event, state="drafted", sites=sites, changes=changes)
        case LetterAmended():
            return replace(state, sites=event.sites, changes=event.changes)
        case LetterIssued():
            due = event.answer_due
            return replace(state, state="issued", number=event.number, answer_due=due)
        case LetterRendered():
            return replace(state, document=event.sha256)
        case LetterDispatched():
            return replace(state, state="dispatched", follow_up_due=event.follow_up_due)
        case LetterAcknowledged():
            return replace(state, state="acknowledged")
        case LetterFollowedUp():
            return replace(state, state="followed-up")
        case LetterRefused():
            return replace(state, state="refused")
        case LetterClosed():
            return replace(state, state="closed")
        case LetterEscalated():
            return replace(state, escalated=state.escalated | {event.step})
    return state


def require(states: Mapping[str, Any], letter: str) -> Letter:
    """The letter's state, or `NotFound`."""
    state: Letter = states[stream(letter)]
    if state.drafted is None:
        raise NotFound(f"Letter {letter} is not known.")
    return state


def in_state(states: Mapping[str, Any], letter: str, *possible: LetterState) -> Letter:
    state = require(states, letter)
    if state.state not in possible:
        raise WrongState(
            f"Letter {letter} is {state.state}; it must be {' or '.join(possible)}.",
            state=state.state,
        )
    return state
