"""Documents over HTTP that are made when they are asked for, and whether one is genuine."""

from typing import Annotated

from fastapi import APIRouter
from fastapi import Path as InPath
from starlette.responses import Response

from shared.contracts.base import Sha256, day
from shared.documents import store
from shared.documents.renderer import Renderer
from shared.documents.rendering import Source
from shared.runtime import Service
from shared.web.responses import json


def verify_router(service: Service) -> APIRouter:
    """It is public, so it tells nothing of what was never handed out."""
    router = APIRouter(tags=["documents"])

    @router.get("/verify/{sha256}", summary="Whether this is a document's hash; public")
    async def verify(sha256: Annotated[Sha256, InPath()]) -> Response:
        """Of the file, or of its content, which is what the QR code holds."""
        row = await store.given_out(service.pool, sha256)
        if row is None:
            return json({"sha256": sha256, "issued": False})
        known = {"number": row["number"], "date": day(row["at"])}
        return json({"sha256": sha256, "issued": True, **known})

    return router


def verify_url(service: Service) -> str:
    """What documents print as the place where they are verified."""
    return f"{service.settings.reached_at}/verify"


async def give_out(service: Service, renderer: Renderer, source: Source, name: str) -> Response:
    """The document as a file; from now on it can be verified."""
    document = await renderer.render(source)
    await store.give_out(service.pool, document, source)
    headers = {
        "ETag": f'"{document.sha256}"',
        "Cache-Control": "private, no-cache",
        "Content-Disposition": f'inline; filename="{name}.pdf"',
    }
    return Response(document.content, headers=headers, media_type=document.media_type)
