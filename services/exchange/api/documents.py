"""Documents: the letter as it was issued, and whether one that somebody holds is that."""

from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any

import aiosql
from fastapi import APIRouter, Request
from fastapi import Path as InPath
from jinja2 import Environment, FileSystemLoader
from starlette.responses import Response

from services.exchange.api.letter import document_of
from services.exchange.api.queries import own_agency
from services.exchange.documents import layout
from shared.contracts.base import Id, Sha256, day
from shared.documents import indonesian, store
from shared.documents.rendering import PDF
from shared.errors import NotFound
from shared.runtime import Service
from shared.web.auth import Caller
from shared.web.body import media_type
from shared.web.problems import UnsupportedMedia
from shared.web.responses import json

HERE = Path(__file__).parent
SQL = aiosql.from_path(HERE / "documents.sql", "asyncpg", mandatory_parameters=False)
PAGES = Environment(loader=FileSystemLoader(HERE), autoescape=True, trim_blocks=True)

FOREVER = "private, max-age=31536000, immutable"
PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline'; connect-src 'self'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
SECRET = "rahasia"
STATES = {
    "issued": "diterbitkan",
    "dispatched": "dikirim",
    "acknowledged": "diterima",
    "followed-up": "ditindaklanjuti",
    "closed": "selesai",
    "refused": "ditolak",
}


def documents_router(service: Service) -> APIRouter:
    router = APIRouter(tags=["documents"])

    @router.get("/letters/{letter}/document.pdf", summary="The letter as it was issued")
    async def document(who: Caller, letter: Annotated[Id, InPath()]) -> Response:
        rendered = await document_of(service, who, own_agency(who), letter)
        row = await store.find(service.pool, rendered.sha256)
        if row is None:
            raise NotFound(f"The document of {letter} is not kept here.")
        headers = {
            "ETag": f'"{rendered.sha256}"',
            "Cache-Control": FOREVER,
            "Content-Disposition": f'inline; filename="{letter}.pdf"',
        }
        return Response(row["content"], headers=headers, media_type=row["media_type"])

    @router.get("/verify/{sha256}", summary="Whether this is the hash of an issued letter; public")
    async def verify(request: Request, sha256: Annotated[Sha256, InPath()]) -> Response:
        """Of the document's bytes, or of its content, which is what the QR code holds."""
        return _answer(request, await verified(service, sha256))

    @router.post("/verify", summary="Whether this PDF is an issued letter; public")
    async def upload(request: Request) -> Response:
        """The document is the body. It is not kept."""
        if media_type(request) != PDF:
            raise UnsupportedMedia(f"Send the document as {PDF}")
        digest = sha256(await request.body()).hexdigest()
        return json(await verified(service, digest))

    return router


async def verified(service: Service, digest: str) -> dict[str, Any]:
    """What anybody may know of the letter with this hash: no person, no content; of a secret one
    not even who wrote to whom, about what, and what came of it."""
    row = await SQL.verified(service.pool, sha256=digest)
    if row is None:
        return {"sha256": digest, "issued": False}
    known = {
        "sha256": digest,
        "issued": True,
        "hash_of": "document" if row["document"] == digest else "content",
        "document_sha256": row["document"],
        "number": row["number"],
        "date": day(row["issued_at"]),
    }
    if row["nature"] == SECRET:
        return known
    return known | {
        "classification": layout.shipped().classification(row["number"]),
        "sender": row["sender"],
        "addressee": row["addressee"],
        "state": row["state"],
    }


def _answer(request: Request, found: dict[str, Any]) -> Response:
    """A page for a browser, JSON for everybody else."""
    if "text/html" not in request.headers.get("accept", ""):
        return json(found, headers={"Cache-Control": "no-store", "Vary": "Accept"})
    shown = {**found, "state": STATES.get(found.get("state", ""), "")}
    if found["issued"]:
        shown["date"] = indonesian.date_of(found["date"])
    body = PAGES.get_template("verify.html").render(shown)
    return Response(body, headers=PAGE_HEADERS | {"Vary": "Accept"}, media_type="text/html")
