"""Queries on consignments, and the forecast of what will be late."""

from datetime import date, timedelta
from typing import Any, Literal

import orjson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.custody.api import timeline
from services.custody.api.queries import SQL, Id, Reader, codes_in, visible
from services.custody.domain import lateness
from services.custody.domain.errors import UnknownConsignment
from shared.contracts.custody import ConsignmentPlanned, Direction
from shared.errors import Forbidden
from shared.runtime import Service
from shared.web.lists import Region, listed
from shared.web.queries import CaughtUp, Paging, paged, tagged

State = Literal["planned", "departed", "delivered", "cancelled"]

PACE = timedelta(hours=4)
"""What a leg takes, loading and hand-over included: a guess, from a day with three legs."""


def consignments_router(service: Service, voting_day: date) -> APIRouter:
    router = APIRouter(tags=["consignments"], dependencies=[CaughtUp])

    @router.get("/consignments", summary="Consignments by region, polling station, state")
    async def consignments(
        reader: Reader,
        page: Paging,
        region: Region = None,
        tps: Id = None,
        state: State | None = None,
        direction: Direction | None = None,
    ) -> Response:
        rows = SQL.consignments(
            service.pool,
            after=page.text(),
            tps=tps,
            state=state,
            direction=direction,
            fetch=page.fetch,
            **visible(reader, region),
        )
        return await listed(rows, page, "consignment")

    @router.get("/consignments/{consignment}", summary="Its route, manifest and hand-overs")
    async def one(request: Request, reader: Reader, consignment: str) -> Response:
        row = await SQL.consignment(service.pool, consignment=consignment)
        if row is None:
            raise UnknownConsignment(f"{consignment[:80]} was never planned")
        if not reader.covers_any((row["region"], *row["regions"])):
            raise Forbidden(f"{consignment} does not touch your jurisdiction")
        events = await service.store.read_stream(f"consignment-{consignment}")
        found = {**row, **_plan(events[0].data), "events": timeline.entries(events)}
        return tagged(request, found, row["position"])

    @router.get("/forecast", summary="Polling stations at risk of not being supplied by H-1")
    async def forecast(reader: Reader, page: Paging, region: Region = None) -> Response:
        if region is None and not reader.everywhere:
            region = _only(reader.jurisdiction)
        if region is not None:
            reader.require_region(region)
        now, deadline = service.clock.now(), lateness.deadline(voting_day)
        area = {"deadline": deadline, **codes_in(region)}
        rows = SQL.at_risk(
            service.pool,
            now=now,
            pace=PACE,
            after=page.text(),
            fetch=page.fetch,
            **area,
        )
        return paged(
            [row async for row in rows],
            page,
            lambda row: (row["tps"],),
            now=now,
            deadline=deadline,
            deliveries=await SQL.forecast_figures(service.pool, **area),
        )

    return router


def _plan(data: bytes) -> dict[str, Any]:
    plan = orjson.loads(data)
    return {name: plan[name] for name in ConsignmentPlanned.model_fields if name in _PLANNED}


_PLANNED = frozenset({"route", "units", "manifest"})


def _only(jurisdiction: frozenset[str]) -> str:
    if len(jurisdiction) != 1:
        raise Forbidden("Name one of your regions")
    [region] = jurisdiction
    return region
