"""What the passing of time brings about: deliveries that are late against H-1."""

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path

import aiosql
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.custody.domain import lateness
from services.custody.domain.lateness import RaiseLate
from shared.eventstore import Command
from shared.runtime import Service

SQL = aiosql.from_path(Path(__file__).with_suffix(".sql"), "asyncpg", mandatory_parameters=False)


class Election(BaseSettings):
    """`KAWAL_VOTING_DAY`: the day against which deliveries are judged."""

    model_config = SettingsConfigDict(env_prefix="KAWAL_", extra="ignore", frozen=True)

    voting_day: date = date(2024, 2, 14)


async def late(service: Service, now: datetime, *, voting_day: date) -> Sequence[Command]:
    """From H-1, 21:00 on: a command for each polling station whose delivery is not complete."""
    deadline = lateness.deadline(voting_day)
    if now < deadline:
        return ()
    voting = lateness.voting_begins(voting_day)
    rows = SQL.overdue(service.pool, deadline=deadline, voting=voting)
    return [
        RaiseLate(consignment=row["consignment"], tps=row["tps"], voting_day=voting_day, as_of=now)
        async for row in rows
    ]
