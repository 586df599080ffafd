"""Hand-over records and consignment notes as PDF, made from the log when they are asked for."""

from typing import Annotated, Any

from fastapi import APIRouter
from fastapi import Path as InPath
from starlette.responses import Response

from services.custody.api.queries import SQL, Reader
from services.custody.documents import sources
from services.custody.domain.errors import UnknownConsignment
from shared.contracts.base import Id, Sha256, day
from shared.documents import Renderer, Source
from shared.errors import Forbidden
from shared.runtime import Service
from shared.web.principal import Principal
from shared.web.queries import CaughtUp
from shared.web.responses import json

Consignment = Annotated[Id, InPath()]
Leg = Annotated[int, InPath(ge=1, le=100)]


def documents_router(service: Service) -> APIRouter:
    router = APIRouter(tags=["documents"], dependencies=[CaughtUp])
    renderer = Renderer()
    hand_over = "/consignments/{consignment}/hand-overs/{leg}"

    @router.get(f"{hand_over}/bast.pdf", summary="The record of a hand-over (BAST)")
    async def bast(reader: Reader, consignment: Consignment, leg: Leg) -> Response:
        await _admit(service, reader, consignment)
        source = await sources.bast(service, consignment, leg)
        return await _pdf(renderer, source, f"{consignment}-{leg}")

    @router.get("/consignments/{consignment}/note.pdf", summary="The consignment note")
    async def note(reader: Reader, consignment: Consignment) -> Response:
        await _admit(service, reader, consignment)
        return await _pdf(renderer, await sources.note(service, consignment), consignment)

    @router.get(f"{hand_over}/{{sha256}}", summary="Whether a BAST says this; public")
    async def verify_bast(consignment: Consignment, leg: Leg, sha256: Sha256) -> Response:
        """The hash is that of the content, which the QR code holds."""
        return json(_verified(await sources.bast(service, consignment, leg), sha256))

    @router.get("/consignments/{consignment}/note/{sha256}", summary="Whether a note is so; public")
    async def verify_note(consignment: Consignment, sha256: Sha256) -> Response:
        return json(_verified(await sources.note(service, consignment), sha256))

    return router


async def _admit(service: Service, reader: Principal, consignment: str) -> None:
    row = await SQL.consignment(service.pool, consignment=consignment)
    if row is None:
        raise UnknownConsignment(f"{consignment} was never planned")
    if not reader.covers_any((row["region"], *row["regions"])):
        raise Forbidden(f"{consignment} does not touch your jurisdiction")


async def _pdf(renderer: Renderer, source: Source, name: str) -> Response:
    document = await renderer.render(source)
    headers = {
        "ETag": f'"{document.sha256}"',
        "Cache-Control": "private, no-cache",
        "Content-Disposition": f'inline; filename="{name}.pdf"',
    }
    return Response(document.content, headers=headers, media_type=document.media_type)


def _verified(source: Source, sha256: str) -> dict[str, Any]:
    if source.content_sha256 != sha256:
        return {"sha256": sha256, "issued": False}
    return {"sha256": sha256, "issued": True, "number": source.number, "date": day(source.at)}
