"""What the passing of time brings about: deliveries that are late against H-1."""

from collections.abc import Sequence
from datetime import date, datetime

import asyncpg
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.custody.domain import lateness
from services.custody.domain.lateness import RaiseLate
from services.custody.projections.queries import reading
from shared.eventstore import Command


class Election(BaseSettings):
    """`KAWAL_VOTING_DAY`: the day against which deliveries are judged."""

    model_config = SettingsConfigDict(env_prefix="KAWAL_", extra="ignore", frozen=True)

    voting_day: date = date(2024, 2, 14)


async def late(pool: asyncpg.Pool, voting_day: date, now: datetime) -> Sequence[Command]:
    """From H-1, 21:00 on: a command for each polling station whose delivery is not complete."""
    deadline = lateness.deadline(voting_day)
    if now < deadline:
        return ()
    rows = reading.overdue(pool, deadline=deadline, voting=lateness.voting_begins(voting_day))
    return [
        RaiseLate(consignment=row["consignment"], tps=row["tps"], voting_day=voting_day, as_of=now)
        async for row in rows
    ]
