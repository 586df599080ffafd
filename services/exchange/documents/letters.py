"""Letters to be rendered, read from the log; and what has been rendered, kept."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import asyncpg

from services.exchange.documents import layout, letter
from services.exchange.documents.letter import Issued, Original
from services.exchange.domain import agencies, letters, supplements
from services.exchange.domain.agencies import agency_of
from shared import vault
from shared.contracts.base import decode
from shared.contracts.exchange import AgencyRegistered, LetterIssued
from shared.documents import Document, Renderer, Source, Template
from shared.errors import NotFound
from shared.eventstore import EventStore, Recorded

LETTER = Template(Path(__file__).parent, "letter")


class LetterDocuments:
    """The documents of issued letters: what one says is what the log said when it was issued.

    `store` is asked at each use, for it exists only once the service runs.
    """

    def __init__(
        self, store: Callable[[], EventStore], verify_url: str, renderer: Renderer
    ) -> None:
        self._store = store
        self._verify_url = verify_url
        self._renderer = renderer

    async def render(self, connection: asyncpg.Connection, name: str) -> Document:
        """The letter as a document; the names are those that the vault has now."""
        source = await self.source(connection, name)
        return await self._renderer.render(source)

    async def source(self, connection: asyncpg.Connection, name: str) -> Source:
        issued = await self._issued(name)
        shipped = layout.shipped()
        return Source(
            template=LETTER,
            layout=layout.page(shipped),
            data=letter.data(issued, shipped),
            at=issued.at,
            number=issued.event.number,
            verify_url=self._verify_url,
            people=await vault.people(connection, letter.people(issued, shipped)),
        )

    async def _issued(self, name: str) -> Issued:
        life = await self._store().read_stream(letters.stream(name))
        at = next((i for i, each in enumerate(life) if each.type == LetterIssued.type), None)
        if at is None:
            raise NotFound(f"Letter {name} was not issued.")
        state = _folded(life[: at + 1])
        event = decode(life[at].type, life[at].data)
        assert isinstance(event, LetterIssued) and state.drafted is not None
        return Issued(
            letter=state,
            event=event,
            at=life[at].metadata.occurred_at.astimezone(UTC),
            agencies=await self._agencies(state, life[at].position),
            original=await self._original(state, life[at].position),
        )

    async def _agencies(self, state: letters.Letter, upto: int) -> dict[str, AgencyRegistered]:
        """The agencies that the letter names, as they were described when it was issued."""
        drafted = state.drafted
        named = {drafted.sender, drafted.addressee, *map(agency_of, drafted.copies)}
        found = {}
        for each in sorted(named):
            life = await self._before(agencies.stream(each), upto)
            found[each] = decode(life[-1].type, life[-1].data)
        return found  # type: ignore[return-value]

    async def _original(self, state: letters.Letter, upto: int) -> Original | None:
        name = state.drafted.supplements
        if name is None:
            return None
        life = await self._before(letters.stream(name), upto)
        first = _folded(life)
        sites = {site.site: site for site in first.sites}
        for n in range(1, supplements.MOST + 1):
            events = await self._before(letters.stream(supplements.supplement_id(name, n)), upto)
            if not events:
                break
            sites |= {site.site: site for site in _folded(events).sites}
        return Original(first.number, _issued_at(life), sites)

    async def _before(self, stream: str, upto: int) -> Sequence[Recorded]:
        return [each for each in await self._store().read_stream(stream) if each.position <= upto]


def _folded(life: Sequence[Recorded]) -> letters.Letter:
    state = letters.NOTHING
    for each in life:
        state = letters.evolve(state, decode(each.type, each.data))
    return state


def _issued_at(life: Sequence[Recorded]) -> datetime:
    return next(each.metadata.occurred_at for each in life if each.type == LetterIssued.type)
