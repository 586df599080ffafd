"""Which facts of the exchange concern an agency, in the order in which it gets them.

Notices as they are sent. Of a letter nothing before its dispatch; with the dispatch all that came
before it, from the draft on, and then every answer.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from services.exchange.domain.agencies import agency_of
from shared.contracts.base import decode
from shared.contracts.exchange import (
    LetterAcknowledged,
    LetterClosed,
    LetterDispatched,
    LetterDrafted,
    LetterEscalated,
    LetterFollowedUp,
    LetterRefused,
    NoticeSent,
)
from shared.eventstore import Recorded

AFTER_DISPATCH = frozenset(
    fact.type
    for fact in (
        LetterAcknowledged,
        LetterClosed,
        LetterEscalated,
        LetterFollowedUp,
        LetterRefused,
    )
)
LETTERS = AFTER_DISPATCH | {LetterDispatched.type}


@dataclass(frozen=True, slots=True)
class Copy:
    """`event` goes to the agency because of the event at `position`, as the `index`-th for it."""

    position: int
    index: int
    event: Recorded

    @property
    def place(self) -> tuple[int, int]:
        return self.position, self.index


class Streams(Protocol):
    """What is needed of the event store."""

    async def read_stream(self, stream: str) -> Sequence[Recorded]: ...


async def copies(store: Streams, agency: str, events: Sequence[Recorded]) -> list[Copy]:
    """What the agency gets of consecutive events of the log."""
    found: list[Copy] = []
    for event in events:
        if event.type == NoticeSent.type:
            if agency in notice_of(event.data).agencies:
                found.append(Copy(event.position, 0, event))
        elif event.type in LETTERS:
            found += [copy async for copy in _of_letter(store, agency, event)]
    return found


@lru_cache(maxsize=1_024)
def notice_of(data: bytes) -> NoticeSent:
    """Read once for all the agencies that it might concern."""
    return NoticeSent.model_validate_json(data)


async def _of_letter(store: Streams, agency: str, event: Recorded) -> AsyncIterator[Copy]:
    life = [each for each in await store.read_stream(event.stream) if each.version <= event.version]
    if not _concerns(agency, life[0]):
        return
    if event.type == LetterDispatched.type:
        for index, each in enumerate(life):
            yield Copy(event.position, index, each)
    elif any(each.type == LetterDispatched.type for each in life):
        yield Copy(event.position, 0, event)


def _concerns(agency: str, first: Recorded) -> bool:
    drafted = decode(first.type, first.data)
    assert isinstance(drafted, LetterDrafted)
    return agency in (drafted.addressee, *map(agency_of, drafted.copies))
