"""What the exchange does by itself when others report: notices, supplements, end of coverage."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import aiosql
import asyncpg

from services.exchange.attachments import attached_site
from services.exchange.documents.letters import LetterDocuments
from services.exchange.domain.coverage import CloseCoverage
from services.exchange.domain.notices import SendNotice
from services.exchange.domain.rendering import RecordDocument
from services.exchange.domain.supplements import SupplementLetter
from services.exchange.projections.exchange import Letters
from services.exchange.projections.sites import Sites
from services.exchange.summaries import SUMMARIES, TOPICS
from shared.bus.message import Message
from shared.contracts import exchange, inventory
from shared.contracts.base import decode
from shared.documents import store
from shared.eventstore import Command
from shared.projection import Intent, Policy

SQL = aiosql.from_path(Path(__file__).with_suffix(".sql"), "asyncpg", mandatory_parameters=False)

WITHDRAWN = frozenset({inventory.SiteRejected.type, inventory.SiteReplaced.type})


class Notify(Policy):
    """Tells the agencies concerned of sites, departures and incidents."""

    name: ClassVar[str] = "notify"
    sources: ClassVar[tuple[str, ...]] = ("inventory", "custody")
    handles: ClassVar[frozenset[str]] = frozenset(SUMMARIES)
    issues: ClassVar[tuple[type[Command], ...]] = (SendNotice,)

    async def react(self, connection: asyncpg.Connection, message: Message) -> Sequence[Intent]:
        subject, summary = SUMMARIES[message.type](decode(message.type, message.data))
        notice = SendNotice(
            notice=str(message.id),
            topic=TOPICS[message.type],
            about=message.type,
            subject=subject,
            region=message.region,
            regions=message.regions or (message.region,),
            summary=summary,
        )
        return (Intent(notice),)


class CloseWithdrawn(Policy):
    """Ends the coverage of a site that is rejected or replaced."""

    name: ClassVar[str] = "close-withdrawn"
    sources: ClassVar[tuple[str, ...]] = ("inventory",)
    handles: ClassVar[frozenset[str]] = WITHDRAWN
    issues: ClassVar[tuple[type[Command], ...]] = (CloseCoverage,)

    async def react(self, connection: asyncpg.Connection, message: Message) -> Sequence[Intent]:
        event: Any = decode(message.type, message.data)
        reason = (
            f"Ditolak: {event.reason}"
            if isinstance(event, inventory.SiteRejected)
            else f"Diganti oleh {event.replaced_by}"
        )
        return (Intent(CloseCoverage(site=event.site, region=event.region, reason=reason[:2000])),)


class Render(Policy):
    """Makes the document of an issued letter and keeps it, in one with the wish to record it.

    A kill before that leaves nothing and the document is made again; one after it finds the wish.
    """

    name: ClassVar[str] = "render"
    sources: ClassVar[tuple[str, ...]] = ("exchange",)
    handles: ClassVar[frozenset[str]] = frozenset({exchange.LetterIssued.type})
    issues: ClassVar[tuple[type[Command], ...]] = (RecordDocument,)

    def __init__(self, documents: LetterDocuments) -> None:
        self._documents = documents

    async def react(self, connection: asyncpg.Connection, message: Message) -> Sequence[Intent]:
        event: Any = decode(message.type, message.data)
        document = await self._documents.render(connection, event.letter)
        await store.keep(connection, document)
        record = RecordDocument(
            letter=event.letter,
            sha256=document.sha256,
            content_sha256=document.content_sha256,
            bytes=len(document.content),
            media_type=document.media_type,
        )
        return (Intent(record),)


class Supplement(Policy):
    """Tells the addressee of an issued letter which of its sites changed.

    It asks twice: when a site changes, which letters are issued; when a letter is issued, which
    sites changed since its draft. Each time the read models show what it reacts to, so whichever
    comes second sees the other; the decision drops what was told already.
    """

    name: ClassVar[str] = "supplement"
    sources: ClassVar[tuple[str, ...]] = ("inventory", "exchange")
    handles: ClassVar[frozenset[str]] = WITHDRAWN | {
        inventory.SiteReady.type,
        exchange.LetterIssued.type,
    }
    issues: ClassVar[tuple[type[Command], ...]] = (SupplementLetter,)
    reads: ClassVar[tuple[str, ...]] = (Sites.name, Letters.name)

    async def react(self, connection: asyncpg.Connection, message: Message) -> Sequence[Intent]:
        event: Any = decode(message.type, message.data)
        if message.type == exchange.LetterIssued.type:
            changed = SQL.differences(connection, letter=event.letter)
            return [Intent(supplement(event.letter, row), row["site"]) async for row in changed]
        row = await SQL.site(connection, site=event.site)
        if row is None:
            raise LookupError(f"{event.site} was never proposed")
        change = described(event, row)
        letters = SQL.letters_about(connection, site=event.site)
        return [
            Intent(supplement(letter["letter"], change), letter["letter"])
            async for letter in letters
        ]


def described(event: Any, row: Mapping[str, Any]) -> dict[str, Any]:
    """The site as the event left it: the read model may be ahead of it."""
    fields = {**row}
    match event:
        case inventory.SiteReady():
            dates = {"opens_on": event.opens_on, "closes_on": event.closes_on}
            return fields | {"state": "ready", "contact": event.contact, **dates}
        case inventory.SiteRejected():
            return fields | {"state": "rejected", "reason": event.reason, "replaced_by": None}
        case inventory.SiteReplaced():
            return fields | {"state": "replaced", "replaced_by": event.replaced_by, "reason": ""}
    raise TypeError(type(event).__name__)


def supplement(letter: str, site: Mapping[str, Any]) -> SupplementLetter:
    return SupplementLetter(
        original=letter,
        site=site["site"],
        change=site["state"],
        attached=attached_site(site) if site["state"] == "ready" else None,
        replaced_by=site["replaced_by"],
        detail=site["reason"],
    )
