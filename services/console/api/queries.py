"""The page, its figures, and the live feed."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
from fastapi import APIRouter
from fastapi.responses import HTMLResponse, StreamingResponse
from starlette.responses import Response

from services.console.api import overview
from services.console.peers import Peers
from shared.runtime import Service
from shared.web.auth import Caller
from shared.web.principal import Principal
from shared.web.queries import CaughtUp
from shared.web.responses import json

PAGE = (Path(__file__).parent.parent / "templates" / "overview.html").read_text()
LIVE_SECONDS = 1.0


def queries_router(service: Service, peers: Peers) -> APIRouter:
    router = APIRouter(tags=["control room"])

    async def figures(who: Principal) -> dict[str, Any]:
        async with service.pool.acquire() as connection:
            found = await overview.read(connection, who.jurisdiction)
        return found | {"lag": peers.lag(await service.positions())}

    async def feed(who: Principal) -> AsyncIterator[bytes]:
        before = None
        while True:
            now = orjson.dumps(await figures(who), default=str)
            if now != before:
                yield b"data: " + now + b"\n\n"
            before = now
            await asyncio.sleep(LIVE_SECONDS)

    @router.get("/", include_in_schema=False)
    async def page() -> Response:
        return HTMLResponse(PAGE)

    @router.get("/overview", summary="Figures of your regions", dependencies=[CaughtUp])
    async def read(who: Caller) -> Response:
        return json(await figures(who))

    @router.get("/live", summary="The overview as server-sent events, when it changes")
    async def live(who: Caller) -> Response:
        return StreamingResponse(feed(who), media_type="text/event-stream")

    return router
