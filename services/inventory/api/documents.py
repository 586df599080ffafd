"""Records of destructions: which there are, and each as PDF, made from the log when asked for."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from services.inventory.api.queries import SQL, Paging, last
from services.inventory.documents import sources
from services.inventory.domain.ids import Name
from shared.documents import Renderer
from shared.documents.api import give_out
from shared.errors import NotFound
from shared.runtime import Service
from shared.web.auth import READERS, Caller, role
from shared.web.lists import Region, listed, within
from shared.web.queries import CaughtUp

RecordNumber = Annotated[str, Query(min_length=1, max_length=2000)]


def documents_router(service: Service) -> APIRouter:
    router = APIRouter(tags=["documents"], dependencies=[CaughtUp, Depends(role(*READERS))])
    renderer = Renderer()

    @router.get("/destructions", summary="Records of destructions")
    async def destructions(who: Caller, at: Paging, region: Region = None) -> Response:
        after = dict(zip(("site_after", "record_after"), last(at, 2), strict=True))
        query = SQL.destructions(service.pool, **after, **within(who, region), limit=at.fetch)
        return await listed(query, at, "site", "record_number")

    @router.get("/destructions/record.pdf", summary="The record of a destruction")
    async def record(who: Caller, site: Name, record_number: RecordNumber) -> Response:
        """With witnesses named, names and signatures left open: it is signed by hand."""
        found = await SQL.destruction(service.pool, site=site, record_number=record_number)
        if found is None:
            raise NotFound(f"Nothing was destroyed at {site} under that number.")
        who.require_region(found["region"])
        source = await sources.destruction(service, found["positions"])
        return await give_out(service, renderer, source, f"{site}-{found['positions'][0]}")

    return router
