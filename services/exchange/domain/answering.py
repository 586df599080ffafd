"""After the issue: dispatch, and what the agencies answer."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from services.exchange.domain import agencies, letters
from services.exchange.domain.agencies import AgencyId
from services.exchange.domain.errors import (
    NotAddressee,
    NotAttached,
    NotDue,
    NotRendered,
    WrongState,
)
from services.exchange.domain.letters import Letter
from shared.contracts.base import Event, Id, Text
from shared.contracts.exchange import (
    Assignment,
    LetterAcknowledged,
    LetterClosed,
    LetterDispatched,
    LetterEscalated,
    LetterFollowedUp,
    LetterRefused,
)
from shared.eventstore.command import Command

ShortText = Annotated[str, StringConstraints(max_length=200, strip_whitespace=True)]


class LetterCommand(Command):
    letter: Id

    def streams(self) -> tuple[str, ...]:
        return (letters.stream(self.letter),)


class DispatchLetter(LetterCommand):
    """Send an issued letter with its document; the time to follow it up begins."""

    name: ClassVar[str] = "dispatch-letter"
    roles: ClassVar[frozenset[str]] = frozenset({"registrar"})

    carrier: Literal["nats", "webhook", "email", "courier"]


class AcknowledgeLetter(LetterCommand):
    """The addressee has it; `receipt_number` is that of the agency's own register."""

    name: ClassVar[str] = "acknowledge-letter"
    roles: ClassVar[frozenset[str]] = frozenset({"agency"})

    receipt_number: ShortText = ""


class FollowUpLetter(LetterCommand):
    """The addressee acted: units assigned to attached sites. A later one adds to the earlier."""

    name: ClassVar[str] = "follow-up-letter"
    roles: ClassVar[frozenset[str]] = frozenset({"agency"})

    assignments: tuple[Assignment, ...] = Field((), max_length=2000)
    order_number: ShortText = ""


class RefuseLetter(LetterCommand):
    """The addressee will not follow the letter up, and says why."""

    name: ClassVar[str] = "refuse-letter"
    roles: ClassVar[frozenset[str]] = frozenset({"agency"})

    reason: Text


class CloseLetter(LetterCommand):
    """The matter is done. A letter that asks for nothing may be closed once acknowledged."""

    name: ClassVar[str] = "close-letter"
    roles: ClassVar[frozenset[str]] = frozenset({"registrar"})

    note: Text


class EscalateLetter(LetterCommand):
    """A deadline passed without an answer: the addressee's highest office is told, once a step."""

    name: ClassVar[str] = "escalate-letter"
    roles: ClassVar[frozenset[str]] = frozenset({"scheduler"})

    addressee: AgencyId
    step: Literal["acknowledge", "follow-up"]
    due: AwareDatetime
    as_of: AwareDatetime

    def streams(self) -> tuple[str, ...]:
        return (letters.stream(self.letter), agencies.stream(self.addressee))


def dispatch_letter(
    command: DispatchLetter, states: Mapping[str, Any], context: Any
) -> Sequence[Event]:
    letter = letters.in_state(states, command.letter, "issued")
    if not letter.document:
        raise NotRendered(f"The document of {command.letter} is being made; try again.")
    due = context.now + context.facts.steps_of(letter.drafted.nature).follow_up
    dispatched = LetterDispatched(
        region=letter.region, letter=command.letter, carrier=command.carrier, follow_up_due=due
    )
    return (dispatched,)


def acknowledge_letter(
    command: AcknowledgeLetter, states: Mapping[str, Any], context: Any
) -> Sequence[Event]:
    letter = _answered(command, states, context, "dispatched")
    acknowledged = LetterAcknowledged(
        region=letter.region,
        letter=command.letter,
        agency=context.agency,
        receipt_number=command.receipt_number,
    )
    return (acknowledged,)


def follow_up_letter(
    command: FollowUpLetter, states: Mapping[str, Any], context: Any
) -> Sequence[Event]:
    letter = _answered(command, states, context, "acknowledged", "followed-up")
    attached = {site.site for site in letter.sites}
    strange = sorted({each.site for each in command.assignments} - attached)
    if strange:
        raise NotAttached(
            f"{command.letter} does not name {', '.join(strange[:5])}.", sites=strange
        )
    followed_up = LetterFollowedUp(
        region=letter.region,
        letter=command.letter,
        agency=context.agency,
        assignments=command.assignments,
        order_number=command.order_number,
    )
    return (followed_up,)


def refuse_letter(
    command: RefuseLetter, states: Mapping[str, Any], context: Any
) -> Sequence[Event]:
    letter = _answered(command, states, context, "dispatched", "acknowledged")
    refused = LetterRefused(
        region=letter.region, letter=command.letter, agency=context.agency, reason=command.reason
    )
    return (refused,)


def close_letter(command: CloseLetter, states: Mapping[str, Any], context: Any) -> Sequence[Event]:
    letter = letters.require(states, command.letter)
    asks = letter.drafted.letter_kind in ("security-request", "supplementary")
    possible = ("followed-up",) if asks else ("acknowledged", "followed-up")
    letters.in_state(states, command.letter, *possible)
    return (LetterClosed(region=letter.region, letter=command.letter, note=command.note),)


def escalate_letter(
    command: EscalateLetter, states: Mapping[str, Any], context: Any
) -> Sequence[Event]:
    letter = letters.require(states, command.letter)
    due = due_of(letter, command.step)
    if letter.drafted.addressee != command.addressee:
        raise NotAddressee(f"{command.letter} is addressed to {letter.drafted.addressee}.")
    if command.step in letter.escalated:
        return ()
    if due is None:
        raise WrongState(f"Nobody waits for {command.letter} now.", state=letter.state)
    if due >= command.as_of or command.as_of > context.now:
        raise NotDue(f"{command.letter} is due at {due.isoformat()}.")
    office = agencies.highest_office(agencies.require(states, command.addressee))
    escalated = LetterEscalated(
        region=letter.region,
        letter=command.letter,
        step=command.step,
        due=due,
        to_office=office.office,
    )
    return (escalated,)


def due_of(letter: Letter, step: str) -> Any:
    """When the step is due, if it is the one that is waited for; else None."""
    if step == "acknowledge" and letter.state in ("issued", "dispatched"):
        return letter.answer_due
    if step == "follow-up" and letter.state == "acknowledged":
        return letter.follow_up_due
    return None


def _answered(
    command: LetterCommand, states: Mapping[str, Any], context: Any, *possible: Any
) -> Letter:
    """The letter, if the actor's agency is the one that it is addressed to."""
    letter = letters.require(states, command.letter)
    if letter.drafted.addressee != context.agency:
        raise NotAddressee(f"{command.letter} is addressed to {letter.drafted.addressee}.")
    return letters.in_state(states, command.letter, *possible)
