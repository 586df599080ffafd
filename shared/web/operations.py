"""What operators ask of every service: how far it is, what is parked, what time it is, its log."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any, Protocol
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from shared.errors import NotFound, Refused
from shared.eventstore import Recorded
from shared.projection import Worker
from shared.settings import Settings
from shared.web import queries
from shared.web.auth import role
from shared.web.principal import Principal
from shared.web.queries import AtLeast
from shared.web.responses import json

log = logging.getLogger(__name__)

Admin = Annotated[Principal, Depends(role("admin"))]
Auditor = Annotated[Principal, Depends(role("auditor", "admin", "service"))]


class NotRebuildable(Refused):
    code = "not-rebuildable"
    title = "A policy is not rebuilt"


class Operated(Protocol):
    """What these routes need of a service."""

    name: str
    settings: Settings
    worker: Worker | None

    async def positions(self) -> dict[str, Any]: ...

    async def wait_until_acted(self, source: str, position: int, seconds: float) -> None: ...

    async def read_log(self, after: int, limit: int) -> tuple[Sequence[Recorded], bool]: ...

    def clock_says(self) -> dict[str, Any]: ...

    async def asyncapi(self) -> dict[str, Any]: ...


def operations_router(service: Operated) -> APIRouter:
    """Read models are of the whole cell: to work on them, one must cover it."""
    router = APIRouter(tags=["operations"])
    running: dict[str, asyncio.Task[None]] = {}

    @router.get("/positions", summary="How far the store, its stream and the read models are")
    async def positions(at_least: AtLeast = None) -> Response:
        """With `at_least`, waits until read models and policies have dealt with it."""
        for source, position in queries.positions(at_least or []).items():
            await queries.within(service.wait_until_acted, source, position)
        return json(await service.positions())

    @router.get("/clock", summary="The business time")
    async def clock() -> Response:
        return json(service.clock_says())

    @router.get("/asyncapi.json", include_in_schema=False)
    async def asyncapi() -> Response:
        return json(await service.asyncapi())

    @router.get("/events", summary="The log in commit order, with metadata")
    async def events(
        who: Auditor,
        after: Annotated[int, Query(ge=0, le=2**53)] = 0,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> Response:
        """Of the caller's regions; `next` is the `after` of the next page, null at the end."""
        recorded, more = await service.read_log(after, limit)
        shown = [_event(each) for each in recorded if who.covers_any(each.metadata.regions)]
        return json({"events": shown, "next": recorded[-1].position if more else None})

    @router.get("/projections", summary="State, progress and lag of every projection and policy")
    async def projections() -> Response:
        return json(await _worker(service).status())

    @router.post("/projections/{name}/rebuild", status_code=202, summary="Build it anew beside")
    async def rebuild(who: Admin, name: str) -> Response:
        who.require_region(service.settings.cell)
        status = (await _worker(service).status()).get(name)
        if status is None:
            raise NotFound(f"There is no projection {name[:80]} here")
        if status["kind"] != "projection":
            raise NotRebuildable("What a policy has decided stays decided")
        if (task := running.get(name)) is None or task.done():
            running[name] = asyncio.create_task(_rebuild(service, name))
        return json({"projection": name, "state": "building"}, 202)

    @router.get("/parked", summary="Events that could not be applied, commands that failed")
    async def parked(who: Auditor, limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> Response:
        """At most `limit` of each, the first to be tried; /projections says how many there are."""
        who.require_region(service.settings.cell)
        worker = _worker(service)
        parked = await worker.parked(limit=limit)
        items = [{"id": each.event_id, **asdict(each)} for each in parked]
        return json({"events": items, "commands": await worker.trouble(limit=limit)})

    @router.post("/parked/{id}/retry", summary="Try a parked event, or a policy's command, again")
    async def retry(who: Admin, id: UUID) -> Response:
        who.require_region(service.settings.cell)
        worker = _worker(service)
        found = await worker.parked(event_id=id)
        applied = sum([await worker.retry(each.name, each.source, each.key) for each in found])
        queued = await worker.retry_intent(id)
        if not found and not queued:
            raise NotFound(f"Nothing is parked as {id}")
        return json({"applied": applied, "queued": queued})

    return router


def _worker(service: Operated) -> Worker:
    if service.worker is None:
        raise NotFound("This service has no projections")
    return service.worker


async def _rebuild(service: Operated, name: str) -> None:
    try:
        await _worker(service).rebuild(name)
    except Exception:
        log.exception("rebuild of %s failed", name)


def _event(event: Recorded) -> dict[str, Any]:
    return {
        "position": event.position,
        "id": event.id,
        "stream": event.stream,
        "version": event.version,
        "type": event.type,
        "recorded_at": event.recorded_at,
        "command_id": event.command_id,
        "meta": orjson.Fragment(event.meta),
        "data": orjson.Fragment(event.data),
    }
