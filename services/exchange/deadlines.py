"""How long each step of a letter may take, and what is due when it took longer."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import aiosql
import orjson

from services.exchange.domain.answering import EscalateLetter
from services.exchange.domain.facts import Steps
from shared.eventstore import Command
from shared.runtime import Service

SQL = aiosql.from_path(Path(__file__).with_suffix(".sql"), "asyncpg", mandatory_parameters=False)
DAYS = Path(__file__).parent / "data" / "deadlines.json"


@cache
def steps() -> dict[str, Steps]:
    """Days for each step by the letter's nature; the file is there to be edited."""
    days = orjson.loads(DAYS.read_bytes())["days"]
    return {
        nature: Steps(timedelta(days=step["acknowledge"]), timedelta(days=step["follow_up"]))
        for nature, step in days.items()
    }


async def escalations(service: Service, now: datetime) -> Sequence[Command]:
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
