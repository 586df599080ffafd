"""A whole service in little: boxes that are registered, listed, and missed when they stay away."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import asyncpg
import orjson
from fastapi import APIRouter, Query
from toy_boxes import Boxes, InspectBox, LoadBox, RegisterBox

from shared.bus.message import Message
from shared.eventstore import Command
from shared.projection import Projection
from shared.runtime import Service, assemble
from shared.settings import Settings
from shared.web.auth import Authenticator, Caller
from shared.web.queries import CaughtUp, Paging, paged

DUE = datetime.fromisoformat("2024-02-13T00:00:00+07:00")
BOXES = "select unit, region from boxes.box where unit > $1 and $2 order by unit limit $3"


class BoxList(Projection):
    name = "boxes"
    sources = ("custody",)
    handles = frozenset({"custody.unit-registered.v1"})
    schema = Path(__file__).parent / "toy_service.sql"

    async def apply(self, connection: asyncpg.Connection, messages: Sequence[Message]) -> None:
        rows = [orjson.loads(message.data) for message in messages]
        await connection.executemany(
            "insert into box (unit, region) values ($1, $2)",
            [(row["unit"], row["region"]) for row in rows],
        )


async def missing(service: Service, now: datetime) -> Sequence[Command]:
    """The box named LATE must be there an hour after it is due."""
    return [RegisterBox(box="LATE")] if now >= DUE + timedelta(hours=1) else []


def boxes(service: Service) -> APIRouter:
    router = APIRouter()

    @router.get("/boxes", dependencies=[CaughtUp])
    async def listed(
        caller: Caller, page: Paging, prefix: Annotated[str, Query(max_length=9)] = ""
    ) -> Any:
        after = page.after[0] if page.after else prefix
        rows = await service.pool.fetch(BOXES, after, caller.covers("31.71.04"), page.fetch)
        return paged(rows, page, lambda row: [row["unit"]])

    return router


def build(settings: Settings, identity: Authenticator | None = None) -> Service:
    return assemble(
        settings,
        name="custody",
        title="Boxes",
        decider=Boxes(),
        commands=[RegisterBox, LoadBox, InspectBox],
        projections=[BoxList()],
        routers=[boxes],
        ticks=[missing],
        callers={"exchange": frozenset({"officer"})},
        identity=identity,
    )
