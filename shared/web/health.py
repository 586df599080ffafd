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
OK = "ok"


def health_router(checks: Mapping[str, Check]) -> APIRouter:
    router = APIRouter(tags=["health"])
    were_well: set[str] = set()

    @router.get("/health/live", summary="The process answers")
    async def live() -> Response:
        return json({"status": "ok"})

    @router.get("/health/ready", summary="Everything that it needs is there")
    async def ready() -> Response:
        names = list(checks)
        states = await asyncio.gather(*(_state(checks[name]) for name in names))
        checked = dict(zip(names, states, strict=True))
        _report(checked, were_well)
        well = all(state == OK for state in states)
        status = OK if well else "unavailable"
        return json({"status": status, "checks": checked}, 200 if well else 503)

    @router.get("/metrics", summary="Figures in OpenMetrics")
    async def figures() -> Response:
        return Response(metrics.exposition(), media_type=metrics.CONTENT_TYPE)

    return router


async def _state(check: Check) -> str:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            await check()
    except Exception as error:
        return str(error) or type(error).__name__
    return OK


def _report(checked: Mapping[str, str], were_well: set[str]) -> None:
    """Warns once when what was well is not: a start is no trouble, and a supervisor asks often."""
    for name, state in checked.items():
        if state == OK:
            were_well.add(name)
        elif name in were_well:
            were_well.remove(name)
            log.warning("not ready: %s: %s", name, state)
