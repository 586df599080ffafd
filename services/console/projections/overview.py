"""The overview: sites, boxes by who holds them, letters, incidents, and how old each figure is."""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import aiosql
import asyncpg

from services.console.projections.figures import Fold, fold_units, incident_fact, unit_fact
from shared.bus.message import Message
from shared.contracts import custody, exchange, inventory
from shared.contracts.base import decode
from shared.projection import Projection

HERE = Path(__file__).parent
SQL = aiosql.from_path(HERE / "overview_writes.sql", "asyncpg", mandatory_parameters=False)

UNITS: frozenset[str] = frozenset(
    {
        custody.UnitRegistered.type,
        custody.UnitHandedOver.type,
        custody.UnitOrphaned.type,
        custody.UnitRecovered.type,
        custody.UnitMissing.type,
        custody.UnitFound.type,
        custody.UnitVoided.type,
    }
)
INCIDENTS: dict[str, int] = {
    custody.IncidentRaised.type: 1,
    custody.IncidentClosed.type: -1,
    inventory.FindingRaised.type: 1,
    inventory.FindingClosed.type: -1,
}
SITES: dict[str, str] = {
    inventory.SiteSurveyed.type: "surveyed",
    inventory.OwnerLetterSent.type: "letter-to-owner",
    inventory.SiteReady.type: "ready",
    inventory.SiteRejected.type: "rejected",
    inventory.SiteReplaced.type: "replaced",
}
LETTERS: dict[str, str] = {
    exchange.LetterDrafted.type: "drafted",
    exchange.LetterIssued.type: "issued",
    exchange.LetterDispatched.type: "dispatched",
    exchange.LetterAcknowledged.type: "acknowledged",
    exchange.LetterFollowedUp.type: "followed-up",
    exchange.LetterRefused.type: "refused",
    exchange.LetterClosed.type: "closed",
}
CLOCKS: frozenset[str] = frozenset({exchange.ClockMoved.type})


class Overview(Projection):
    name: ClassVar[str] = "overview"
    version: ClassVar[int] = 2
    sources: ClassVar[tuple[str, ...]] = ("inventory", "custody", "exchange")
    handles: ClassVar[frozenset[str]] = frozenset(
        {*UNITS, *INCIDENTS, *SITES, *LETTERS, *CLOCKS, inventory.SiteProposed.type}
    )
    schema: ClassVar[Path] = HERE / "overview.sql"

    async def apply(self, connection: asyncpg.Connection, messages: Sequence[Message]) -> None:
        fold = Fold()
        if units := [message for message in messages if message.type in UNITS]:
            await _units(connection, fold, units)
        for message in messages:
            if message.type in INCIDENTS:
                fact = incident_fact.decode(message.data)
                kind = fact.incident_kind or fact.finding_kind
                fold.add("incidents", kind, message, INCIDENTS[message.type])
            elif message.type not in UNITS:
                await _row(connection, message)
        if fold.counts:
            await SQL.add_figures(connection, **fold.columns())


async def _units(connection: asyncpg.Connection, fold: Fold, messages: list[Message]) -> None:
    """Count boxes only: a koli of ballots is known from its registration."""
    facts = [(message, unit_fact.decode(message.data)) for message in messages]
    koli = {fact.unit for _, fact in facts if fact.unit_kind == "koli"}
    if koli:
        await SQL.save_koli(connection, units=sorted(koli))
    units = [fact.unit for _, fact in facts]
    koli |= {row["unit"] async for row in SQL.koli_among(connection, units=units)}
    fold_units(fold, [(m, fact) for m, fact in facts if fact.unit not in koli])


async def _row(connection: asyncpg.Connection, message: Message) -> None:
    """Sites, letters and the clock are few: a row each."""
    event = decode(message.type, message.data)
    at = message.recorded_at
    if isinstance(event, inventory.SiteProposed):
        await SQL.save_site(
            connection,
            site=event.site,
            region=event.region,
            state="proposed",
            unchanged=event.unchanged,
            as_of=at,
        )
    elif isinstance(event, inventory.Site):
        await SQL.move_site(connection, site=event.site, state=SITES[message.type], as_of=at)
    elif isinstance(event, exchange.ClockMoved):
        await SQL.move_clock(connection, service=message.service, at=event.to)
    elif isinstance(event, exchange.Letter):
        await SQL.save_letter(
            connection,
            letter=event.letter,
            region=event.region,
            state=LETTERS[message.type],
            answer_due=getattr(event, "answer_due", None),
            follow_up_due=getattr(event, "follow_up_due", None),
            as_of=at,
        )
