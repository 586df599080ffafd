"""Queries: the directory, letters, notices, coverage, and the summary."""

from pathlib import Path
from typing import Annotated

import aiosql
from fastapi import APIRouter, Request
from fastapi import Path as InPath
from starlette.responses import Response

from services.exchange.api.letter import read_letter
from services.exchange.domain.agencies import AgencyId
from shared.contracts.base import Id
from shared.contracts.exchange import LetterState, NoticeTopic
from shared.errors import Forbidden
from shared.runtime import Service
from shared.web.auth import Caller
from shared.web.lists import Region, listed, within
from shared.web.principal import Principal
from shared.web.queries import CaughtUp, Paging, tagged
from shared.web.responses import json

SQL = aiosql.from_path(Path(__file__).parent / "queries.sql", "asyncpg", mandatory_parameters=False)

STAFF = frozenset({"operator", "registrar", "supervisor", "auditor", "admin"})
"""Who reads what lies in their regions; an agency reads what concerns it."""
NEWEST = 2**62


def queries_router(service: Service) -> APIRouter:
    router = APIRouter(tags=["queries"], dependencies=[CaughtUp])
    _letters(router, service)
    _notices(router, service)
    _coverage(router, service)
    return router


def _letters(router: APIRouter, service: Service) -> None:
    @router.get("/letters", summary="Letters, newest first")
    async def letters(
        who: Caller,
        at: Paging,
        region: Region = None,
        state: LetterState | None = None,
        overdue: bool | None = None,
    ) -> Response:
        query = SQL.letters(
            service.pool,
            **within(who, region),
            agency=own_agency(who),
            state=state,
            overdue=overdue,
            now=service.clock.now(),
            before=at.number(NEWEST),
            limit=at.fetch,
        )
        return await listed(query, at, "position")

    @router.get("/letters/{letter}", summary="A letter with its attachments and its whole life")
    async def letter(request: Request, who: Caller, letter: Annotated[Id, InPath()]) -> Response:
        found, version = await read_letter(service, who, own_agency(who), letter)
        return tagged(request, found, version)


def _notices(router: APIRouter, service: Service) -> None:
    @router.get("/notices", summary="Automatic notices, newest first; an agency sees its own")
    async def notices(
        who: Caller,
        at: Paging,
        region: Region = None,
        agency: AgencyId | None = None,
        topic: NoticeTopic | None = None,
    ) -> Response:
        own = own_agency(who)
        if own is not None and agency not in (None, own):
            raise Forbidden(f"The notices of {agency} are not yours.")
        scope = who.scope() or []
        query = SQL.notices(
            service.pool,
            region=region,
            scope=scope,
            everything=own is not None or who.everywhere,
            agency=own or agency,
            topic=topic,
            before=at.number(NEWEST),
            limit=at.fetch,
        )
        return await listed(query, at, "position")


def _coverage(router: APIRouter, service: Service) -> None:
    @router.get("/agencies", summary="The directory: agencies, offices, jurisdictions")
    async def agencies(_: Caller, at: Paging) -> Response:
        query = SQL.agencies(service.pool, after=at.text(), limit=at.fetch)
        return await listed(query, at, "agency", json=frozenset({"offices"}))

    @router.get("/coverage", summary="Each place in use: secured by whom, or not")
    async def coverage(
        who: Caller, at: Paging, region: Region = None, secured: bool | None = None
    ) -> Response:
        query = SQL.coverage(
            service.pool,
            **within(who, region),
            secured=secured,
            after=at.text(),
            limit=at.fetch,
        )
        return await listed(query, at, "site", json=frozenset({"secured_by"}))

    @router.get("/summary", summary="Totals of a region, or of the caller's jurisdiction")
    async def summary(who: Caller, region: Region = None) -> Response:
        """To an agency, its own letters and notices."""
        where = within(who, region)
        own = {"agency": own_agency(who)}
        letters = await SQL.letter_totals(service.pool, **where, **own, now=service.clock.now())
        notices = await SQL.notice_total(service.pool, **where, **own)
        coverage = await SQL.coverage_totals(service.pool, **where)
        return json({"letters": letters, "notices": notices, "coverage": coverage})


def own_agency(who: Principal) -> str | None:
    """None for who reads by region; else the agency whose letters and notices these are."""
    if not who.roles.isdisjoint(STAFF):
        return None
    who.require("agency", *STAFF)
    return who.agency
