"""Hand-over records and consignment notes as PDF, made from the log when they are asked for."""

from typing import Annotated

from fastapi import APIRouter
from fastapi import Path as InPath
from starlette.responses import Response

from services.custody.api.queries import SQL, Reader
from services.custody.documents import sources
from services.custody.domain.errors import UnknownConsignment
from shared.contracts.base import Id
from shared.documents import Renderer
from shared.documents.api import give_out
from shared.errors import Forbidden
from shared.runtime import Service
from shared.web.principal import Principal
from shared.web.queries import CaughtUp

Consignment = Annotated[Id, InPath()]
Leg = Annotated[int, InPath(ge=1, le=100)]


def documents_router(service: Service) -> APIRouter:
    router = APIRouter(tags=["documents"], dependencies=[CaughtUp])
    renderer = Renderer()
    bast_path = "/consignments/{consignment}/hand-overs/{leg}/bast.pdf"

    @router.get(bast_path, summary="The record of a hand-over (BAST)")
    async def bast(reader: Reader, consignment: Consignment, leg: Leg) -> Response:
        await _admit(service, reader, consignment)
        source = await sources.bast(service, consignment, leg)
        return await give_out(service, renderer, source, f"{consignment}-{leg}")

    @router.get("/consignments/{consignment}/note.pdf", summary="The consignment note")
    async def note(reader: Reader, consignment: Consignment) -> Response:
        await _admit(service, reader, consignment)
        source = await sources.note(service, consignment)
        return await give_out(service, renderer, source, consignment)

    return router


async def _admit(service: Service, reader: Principal, consignment: str) -> None:
    row = await SQL.consignment(service.pool, consignment=consignment)
    if row is None:
        raise UnknownConsignment(f"{consignment} was never planned")
    if not reader.covers_any((row["region"], *row["regions"])):
        raise Forbidden(f"{consignment} does not touch your jurisdiction")
