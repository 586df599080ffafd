"""Is it alive, is it ready, what are its figures: for supervisors, without a token."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

from fastapi import APIRouter
from starlette.responses import Response

from shared.telemetry import metrics
from shared.web.responses import json

log = logging.getLogger(__name__)

Check = Callable[[], Awaitable[None]]
"""Returns if the thing is well, raises if not."""

CHECK_SECONDS = 3.0


def health_router(checks: Mapping[str, Check]) -> APIRouter:
    router = APIRouter(tags=["health"])

    @router.get("/health/live", summary="The process answers")
    async def live() -> Response:
        return json({"status": "ok"})

    @router.get("/health/ready", summary="Everything that it needs is there")
    async def ready() -> Response:
        names = list(checks)
        states = await asyncio.gather(*(_state(name, checks[name]) for name in names))
        well = all(state == "ok" for state in states)
        status = "ok" if well else "unavailable"
        checked = dict(zip(names, states, strict=True))
        return json({"status": status, "checks": checked}, 200 if well else 503)

    @router.get("/metrics", summary="Figures in OpenMetrics")
    async def figures() -> Response:
        return Response(metrics.exposition(), media_type=metrics.CONTENT_TYPE)

    return router


async def _state(name: str, check: Check) -> str:
    try:
        await asyncio.wait_for(check(), CHECK_SECONDS)
    except Exception as error:
        log.warning("not ready: %s: %s: %s", name, type(error).__name__, error)
        return str(error) or type(error).__name__
    return "ok"
