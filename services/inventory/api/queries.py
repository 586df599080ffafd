"""Queries: regions, stations, sites, catalogue, stock, kits, findings, and the summary."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import aiosql
import orjson
from asyncpg import Record
from fastapi import APIRouter, Depends, Query
from fastapi import Path as InPath
from starlette.responses import Response

from services.inventory.api.summary import summary
from services.inventory.domain.ids import Name, TpsId, Variant
from shared.contracts.base import RegionCode
from shared.contracts.inventory import FindingKind, SiteState
from shared.errors import NotFound
from shared.runtime import Service
from shared.web.auth import READERS, Caller, role
from shared.web.lists import Region, listed, plain, within
from shared.web.principal import Principal
from shared.web.queries import BadCursor, CaughtUp, Page, page
from shared.web.responses import json

SQL = aiosql.from_path(Path(__file__).parent / "queries.sql", "asyncpg", mandatory_parameters=False)
JSON_COLUMNS = frozenset({"ballots", "dapil", "items", "boxes", "checklist", "gaps"})


def long_page(
    limit: Annotated[int, Query(ge=1, le=2000)] = 50,
    cursor: Annotated[str | None, Query(max_length=1000)] = None,
) -> Page:
    return page(limit, cursor)


Paging = Annotated[Page, Depends(long_page)]

_listed = partial(listed, json=JSON_COLUMNS)


def queries_router(service: Service) -> APIRouter:
    router = APIRouter(tags=["queries"], dependencies=[CaughtUp, Depends(role(*READERS))])
    _places(router, service)
    _catalogue(router, service)
    _stock(router, service)
    _findings(router, service)
    return router


def _places(router: APIRouter, service: Service) -> None:
    @router.get("/regions", summary="Regions with their electoral districts")
    async def regions(
        who: Caller, at: Paging, region: Region = None, parent: RegionCode | None = None
    ) -> Response:
        query = SQL.regions(service.pool, parent=parent, **within(who, region), **_after(at))
        return await _listed(query, at, "region")

    @router.get("/polling-stations", summary="Polling stations with their needs")
    async def polling_stations(who: Caller, at: Paging, region: Region = None) -> Response:
        query = SQL.polling_stations(service.pool, **within(who, region), **_after(at))
        return await _listed(query, at, "tps")

    @router.get("/polling-stations/{tps}", summary="A polling station: needs, picking, packing")
    async def polling_station(who: Caller, tps: Annotated[TpsId, InPath()]) -> Response:
        return _one(await SQL.polling_station(service.pool, tps=tps), who, tps)

    @router.get("/sites", summary="Storage sites and their readiness")
    async def sites(
        who: Caller, at: Paging, region: Region = None, state: SiteState | None = None
    ) -> Response:
        query = SQL.sites(service.pool, state=state, **within(who, region), **_after(at))
        return await _listed(query, at, "site")

    @router.get("/sites/{site}", summary="A storage site with its last inspections")
    async def site(who: Caller, site: Annotated[Name, InPath()]) -> Response:
        row = await SQL.site(service.pool, site=site)
        log = [each async for each in SQL.inspections(service.pool, site=site)]
        return _one(row, who, site, inspections=log)


def _catalogue(router: APIRouter, service: Service) -> None:
    @router.get("/items", summary="The item catalogue")
    async def items(_: Caller) -> Response:
        rows = [row async for row in SQL.items(service.pool)]
        return json({"items": rows, "next": None})

    @router.get("/rules", summary="The rules for needs that are in force")
    async def rules(_: Caller) -> Response:
        row = await SQL.rules(service.pool)
        if row is None:
            raise NotFound("No rules are set yet.")
        return json(orjson.Fragment(row["body"]))


def _stock(router: APIRouter, service: Service) -> None:
    @router.get("/stock", summary="What is on hand, per site, item and variant")
    async def stock(
        who: Caller,
        at: Paging,
        region: Region = None,
        site: Name | None = None,
        item: Name | None = None,
    ) -> Response:
        after = dict(zip(("site_after", "item_after", "variant_after"), last(at, 3), strict=True))
        where = {"site": site, "item": item, "limit": at.fetch, **after}
        query = SQL.stock(service.pool, **where, **within(who, region))
        return await _listed(query, at, "site", "item", "variant")

    @router.get("/stock/movements", summary="Every in and out of one ledger, with its reason")
    async def movements(
        who: Caller, at: Paging, site: Name, item: Name, variant: Variant = ""
    ) -> Response:
        _one(await SQL.site(service.pool, site=site), who, site)
        ledger = {"site": site, "item": item, "variant": variant}
        query = SQL.movements(service.pool, **ledger, after=at.number(0), limit=at.fetch)
        return await _listed(query, at, "position")

    @router.get("/kits/{kit}", summary="A packed kit: boxes, seals, contents")
    async def kit(who: Caller, kit: Annotated[Name, InPath()]) -> Response:
        return _one(await SQL.kit(service.pool, kit=kit), who, kit)


def _findings(router: APIRouter, service: Service) -> None:
    @router.get("/findings", summary="What was found wrong")
    async def findings(
        who: Caller,
        at: Paging,
        region: Region = None,
        kind: FindingKind | None = None,
        status: Literal["open", "closed"] | None = None,
    ) -> Response:
        where = {"kind": kind, "status": status, **within(who, region), **_after(at)}
        return await _listed(SQL.findings(service.pool, **where), at, "finding")

    @router.get("/replacements", summary="Replacements requested and supplied")
    async def replacements(who: Caller, at: Paging, region: Region = None) -> Response:
        query = SQL.replacements(service.pool, **within(who, region), **_after(at))
        return await _listed(query, at, "replacement")

    @router.get("/summary", summary="Totals of a region, or of the caller's jurisdiction")
    async def totals(who: Caller, region: Region = None) -> Response:
        return json(await summary(SQL, service.pool, within(who, region)))


def last(at: Page, parts: int) -> Sequence[str]:
    """The sort key after which the page begins, of so many texts."""
    after = at.after or ("",) * parts
    if len(after) != parts or not all(isinstance(part, str) for part in after):
        raise BadCursor("Take the cursor from the last page, as it is")
    return after


def _after(at: Page) -> dict[str, Any]:
    return {"after": at.text(), "limit": at.fetch}


def _one(row: Record | None, who: Principal, name: str, **more: Any) -> Response:
    if row is None:
        raise NotFound(f"Inventory knows no {name}.")
    who.require_region(row["region"])
    return json(plain(row, JSON_COLUMNS) | more)
