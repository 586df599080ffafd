"""Queries on units: lists, one unit, its whole life."""

from typing import Annotated

from asyncpg import Record
from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from services.custody.api import timeline
from services.custody.api.queries import SQL, Id, Reader, visible
from services.custody.domain.errors import UnknownUnit
from shared.errors import Forbidden
from shared.runtime import Service
from shared.web.lists import Region, listed
from shared.web.principal import Principal
from shared.web.queries import CaughtUp, Paging, tagged
from shared.web.responses import json


def units_router(service: Service) -> APIRouter:
    router = APIRouter(tags=["units"], dependencies=[CaughtUp])

    @router.get("/units", summary="Units by home region, polling station, state")
    async def units(
        reader: Reader,
        page: Paging,
        region: Region = None,
        tps: Id = None,
        state: Annotated[str | None, Query(max_length=20)] = None,
        broken: bool = False,
    ) -> Response:
        query = SQL.broken_units if broken else SQL.units
        rows = query(
            service.pool,
            after=page.text(),
            tps=tps,
            state=state,
            fetch=page.fetch,
            **visible(reader, region),
        )
        return await listed(rows, page, "unit")

    @router.get("/units/{unit}", summary="Who answers for a unit, and where it is")
    async def one(request: Request, reader: Reader, unit: str) -> Response:
        row = await _unit(service, reader, unit)
        return tagged(request, row, row["position"])

    @router.get("/units/{unit}/timeline", summary="All that happened to it, with the gaps")
    async def life(reader: Reader, unit: str) -> Response:
        row = await _unit(service, reader, unit)
        events = await service.store.read_stream(f"unit-{unit}")
        found = [each async for each in SQL.incidents_of_unit(service.pool, unit=unit)]
        return json(
            {
                "unit": row,
                "events": timeline.entries(events),
                "incidents": found,
                "gaps": timeline.gaps(events, found),
            }
        )

    return router


async def _unit(service: Service, reader: Principal, unit: str) -> Record:
    """The row, for whoever covers its home or a region that held it."""
    row = await SQL.unit(service.pool, unit=unit)
    if row is None:
        raise UnknownUnit(f"{unit[:80]} is not registered")
    if not reader.covers_any((row["home"], *row["elsewhere"])):
        raise Forbidden(f"{unit} was never in your jurisdiction")
    return row
