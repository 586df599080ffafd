"""What decisions are told from outside their streams, and which deadlines have passed."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import aiosql
import orjson

from services.exchange.attachments import attached_site
from services.exchange.domain.answering import EscalateLetter
from services.exchange.domain.drafting import DraftLetter
from services.exchange.domain.facts import Attachments, Facts, Kelurahan, Steps, Subscriber
from services.exchange.domain.notices import SendNotice
from shared.eventstore import Command
from shared.runtime import Service

SQL = aiosql.from_path(Path(__file__).with_suffix(".sql"), "asyncpg", mandatory_parameters=False)
DEADLINES = Path(__file__).parent / "data" / "deadlines.json"


async def facts(service: Service, commands: Sequence[Command]) -> Facts:
    """Only what these commands need is looked up, once for all of them."""
    notices = any(isinstance(command, SendNotice) for command in commands)
    regions = {command.region for command in commands if isinstance(command, DraftLetter)}
    return Facts(
        steps=steps(),
        subscribers=await subscribers(service.pool) if notices else (),
        attachments=await attachments(service.pool, sorted(regions)) if regions else {},
    )


async def escalations(service: Service, now: datetime) -> list[Command]:
    """An escalation for every deadline that has passed without an answer."""
    return [
        EscalateLetter(
            letter=row["letter"],
            addressee=row["addressee"],
            step=row["step"],
            due=row["due"],
            as_of=now,
        )
        async for row in SQL.overdue(service.pool, now=now)
    ]


@cache
def steps() -> dict[str, Steps]:
    """Days for each step by the letter's nature; the file is there to be edited."""
    days = orjson.loads(DEADLINES.read_bytes())["days"]
    return {
        nature: Steps(timedelta(days=step["acknowledge"]), timedelta(days=step["follow_up"]))
        for nature, step in days.items()
    }


async def subscribers(pool: Any) -> tuple[Subscriber, ...]:
    return tuple(
        [
            Subscriber(row["agency"], frozenset(row["jurisdiction"]), frozenset(row["topics"]))
            async for row in SQL.subscribers(pool)
        ]
    )


async def attachments(pool: Any, regions: list[str]) -> dict[str, Attachments]:
    sites, kelurahan = defaultdict(list), defaultdict(list)
    async for row in SQL.ready_sites(pool, regions=regions):
        sites[row["about"]].append(attached_site(row))
    async for row in SQL.kelurahan(pool, regions=regions):
        kelurahan[row["about"]].append(
            Kelurahan(row["region"], row["name"], row["stations"], row["boxes"])
        )
    return {about: Attachments(tuple(sites[about]), tuple(kelurahan[about])) for about in regions}
