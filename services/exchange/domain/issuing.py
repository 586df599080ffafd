"""Issuing: the letter gets its number, gapless in the register of its series."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import StringConstraints

from services.exchange.domain import letters
from services.exchange.domain.errors import EmptySupplement
from shared.contracts.base import Event, Id, day
from shared.contracts.exchange import LetterIssued, NumberTaken
from shared.eventstore.command import Command

Classification = Annotated[
    str, StringConstraints(pattern=r"^[A-Z]{2}\.[0-9]{2}(\.[0-9]{1,2}){0,3}$")
]

Register = Mapping[int, int]
"""The state of a register: the last serial of each year."""

EMPTY: Register = {}


class IssueLetter(Command):
    """Sign a drafted letter and give it the next number of its register.

    The number is `{serial}/{classification}-{SD|BA}/{work unit}/{year}`: the work unit is a region
    code without dots, and may have a sub-unit; serials begin anew each year.
    """

    name: ClassVar[str] = "issue-letter"
    roles: ClassVar[frozenset[str]] = frozenset({"registrar"})

    letter: Id
    classification: Classification
    document: Literal["SD", "BA"]
    work_unit: Annotated[str, StringConstraints(pattern=r"^[0-9]{2,10}(/[0-9]{1,4})?$")]
    signer: Id

    @property
    def book(self) -> str:
        unit = self.work_unit.replace("/", ".")
        return f"{self.classification}-{self.document}.{unit}"

    @property
    def unit_region(self) -> str:
        """The region of the work unit: 3171 -> 31.71."""
        digits = self.work_unit.partition("/")[0]
        parts = (digits[:2], digits[2:4], digits[4:6], digits[6:])
        return ".".join(part for part in parts if part)

    def streams(self) -> tuple[str, ...]:
        return (letters.stream(self.letter), stream(self.book))


def stream(book: str) -> str:
    return f"register-{book}"


def issue_letter(command: IssueLetter, states: Mapping[str, Any], context: Any) -> Sequence[Event]:
    letter = letters.in_state(states, command.letter, "drafted")
    if letter.drafted.supplements is not None and not letter.changes:
        raise EmptySupplement(f"What {command.letter} was to tell has been undone.")
    year = day(context.now).year
    serial = states[stream(command.book)].get(year, 0) + 1
    taken = NumberTaken(
        region=letter.region,
        book=command.book,
        year=year,
        serial=serial,
        letter=command.letter,
    )
    issued = LetterIssued(
        region=letter.region,
        letter=command.letter,
        number=number(command, serial, year),
        series=taken.series,
        serial=serial,
        signer=command.signer,
        answer_due=context.now + context.facts.steps_of(letter.drafted.nature).acknowledge,
    )
    return (taken, issued)


def number(command: IssueLetter, serial: int, year: int) -> str:
    """`108/PP.08-SD/3202/2024`."""
    return f"{serial}/{command.classification}-{command.document}/{command.work_unit}/{year}"


def evolve(state: Register, event: Event) -> Register:
    return {**state, event.year: event.serial} if isinstance(event, NumberTaken) else state
