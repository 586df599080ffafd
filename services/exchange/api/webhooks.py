"""Endpoints and what was sent to them: secrets, tests, the log of deliveries, replays.

Endpoints are registered, changed, disabled and enabled by commands. An agency manages its own,
operators and registrars those of their regions; who supervises reads.
"""

import asyncio
from typing import Annotated, Any, Literal, Self
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Request
from fastapi import Path as InPath
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator
from starlette.responses import Response

from services.exchange.api.queries import NEWEST, own_agency
from services.exchange.domain.agencies import AgencyId
from services.exchange.domain.endpoints import EndpointId
from services.exchange.webhooks import message
from services.exchange.webhooks.filler import Wish
from services.exchange.webhooks.queries import SQL
from services.exchange.webhooks.replay import position_before, replay
from services.exchange.webhooks.rotation import rotate
from services.exchange.webhooks.sender import Sender
from services.exchange.webhooks.settings import WebhookSettings
from shared.bus import cloudevents
from shared.contracts.base import Count
from shared.errors import Forbidden, NotFound, Refused
from shared.runtime import Service
from shared.web.auth import Caller
from shared.web.body import idempotency_key
from shared.web.lists import listed
from shared.web.principal import Principal
from shared.web.queries import AtLeast, Paging, positions, within
from shared.web.responses import json

MANAGERS = frozenset({"operator", "registrar", "admin"})
NOT_CACHED = {"Cache-Control": "no-store"}
POLL_SECONDS = 0.05

Endpoint = Annotated[EndpointId, InPath()]


class NoSecret(Refused):
    code = "no-secret"
    title = "The endpoint has no secret yet"


class Replay(BaseModel):
    """Where to begin: behind a position of the log, or with what was recorded from a time on."""

    model_config = ConfigDict(extra="forbid")

    after: Count | None = None
    since: AwareDatetime | None = None
    dry_run: Annotated[bool, Field(description="Only count")] = False

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.after is None) == (self.since is None):
            raise ValueError("give either after or since")
        return self


def webhooks_router(service: Service) -> APIRouter:
    prepared = False

    async def ready(at_least: AtLeast = None) -> None:
        nonlocal prepared
        if not prepared:
            await SQL.prepare(service.pool)
            prepared = True
        for source, position in positions(at_least or []).items():
            await within(_reached(service), source, position)

    router = APIRouter(tags=["webhooks"], dependencies=[Depends(ready)])
    _endpoints(router, service)
    _acts(router, service)
    _deliveries(router, service)
    return router


def _reached(service: Service) -> Any:
    async def wait_for(source: str, position: int, seconds: float) -> None:
        """Until the log is queued up to a position."""
        if source != service.name:
            raise KeyError(source)
        async with asyncio.timeout(seconds):
            while (row := await SQL.reader(service.pool)) is None or row["position"] < position:
                await asyncio.sleep(POLL_SECONDS)

    return wait_for


def _endpoints(router: APIRouter, service: Service) -> None:
    @router.get("/endpoints", summary="Where webhooks go; an agency sees its own")
    async def endpoints(who: Caller, at: Paging, agency: AgencyId | None = None) -> Response:
        seen = _seen_by(who, agency)
        query = SQL.endpoints(service.pool, **seen, endpoint=None, after=at.text(), limit=at.fetch)
        return await listed(query, at, "endpoint")

    @router.get("/endpoints/{endpoint}", summary="An endpoint; its secret is shown to nobody")
    async def endpoint(who: Caller, endpoint: Endpoint) -> Response:
        return json(await _find(service, who, endpoint))


def _acts(router: APIRouter, service: Service) -> None:
    one_at_a_time = asyncio.Lock()

    @router.post("/endpoints/{endpoint}/secret", status_code=201, summary="Its next secret, once")
    async def secret(request: Request, who: Caller, endpoint: Endpoint) -> Response:
        """The one before signs too, for a while."""
        made, position = await rotate(service, who, endpoint, idempotency_key(request))
        return json({"secret": made, "position": position}, 201, NOT_CACHED)

    @router.post("/endpoints/{endpoint}/ping", summary="Send it an event that says nothing, now")
    async def ping(who: Caller, endpoint: Endpoint) -> Response:
        _may_manage(who, await _find(service, who, endpoint))
        target = await SQL.target(service.pool, endpoint=endpoint, anyway=True)
        if target is None:
            raise NoSecret(f"{endpoint} needs a secret first.")
        id = uuid4()
        source = cloudevents.source(service.name, service.settings.cell)
        body = message.ping(endpoint, source, id)
        async with Sender(WebhookSettings()) as sender:
            outcome = await sender.send(target["url"], target["secrets"], str(id), body)
        told = {"status": outcome.status, "error": outcome.error, "latency_ms": outcome.latency_ms}
        return json({"ok": outcome.ok, **told})

    @router.post("/endpoints/{endpoint}/replay", summary="Send again from a place in the log on")
    async def again(who: Caller, endpoint: Endpoint, body: Replay) -> Response:
        row = await _find(service, who, endpoint)
        _may_manage(who, row)
        after = body.after
        if body.since is not None:
            after = await position_before(service.store, body.since)
        assert after is not None
        asked = (service.store, service.pool, Wish.of(row), after)
        async with one_at_a_time:
            count = await replay(*asked, dry_run=body.dry_run)
        return json({"after": after, "deliveries": count, "dry_run": body.dry_run})


def _deliveries(router: APIRouter, service: Service) -> None:
    @router.get("/deliveries", summary="What was sent and what waits, newest first")
    async def deliveries(
        who: Caller,
        at: Paging,
        endpoint: EndpointId | None = None,
        state: Literal["waiting", "delivered", "dead"] | None = None,
        type: str | None = None,
    ) -> Response:
        query = SQL.deliveries(
            service.pool,
            **_seen_by(who),
            id=None,
            endpoint=endpoint,
            state=state,
            type=type,
            before=at.number(NEWEST),
            limit=at.fetch,
        )
        return await listed(query, at, "number")

    @router.get("/deliveries/{id}", summary="A delivery with all its tries")
    async def delivery(who: Caller, id: UUID) -> Response:
        found = await _find_delivery(service, who, id)
        attempts = [dict(row) async for row in SQL.attempts(service.pool, id=id)]
        return json({**found, "attempts": attempts})

    @router.post("/deliveries/{id}/release", summary="Try a dead letter again")
    async def release(who: Caller, id: UUID) -> Response:
        _may_manage(who, await _find_delivery(service, who, id))
        released = await SQL.release(service.pool, id=id)
        return json({"released": released is not None})


def _seen_by(who: Principal, agency: str | None = None) -> dict[str, Any]:
    """Staff see by region, an agency its own."""
    own = own_agency(who)
    if own is not None and agency not in (None, own):
        raise Forbidden(f"The endpoints of {agency} are not yours.")
    return {"agency": own or agency, "scope": None if own is not None else who.scope()}


async def _find(service: Service, who: Principal, endpoint: str) -> dict[str, Any]:
    query = SQL.endpoints(service.pool, **_seen_by(who), endpoint=endpoint, after="", limit=1)
    async for row in query:
        return dict(row)
    raise NotFound(f"There is no endpoint {endpoint} that you may see.")


async def _find_delivery(service: Service, who: Principal, id: UUID) -> dict[str, Any]:
    every = {"endpoint": None, "state": None, "type": None, "before": NEWEST, "limit": 1}
    async for row in SQL.deliveries(service.pool, **_seen_by(who), id=id, **every):
        return dict(row)
    raise NotFound(f"There is no delivery {id} that you may see.")


def _may_manage(who: Principal, row: dict[str, Any]) -> None:
    if who.roles.isdisjoint(MANAGERS):
        who.require("agency", *MANAGERS)
        if who.agency != row["agency"]:
            raise Forbidden(f"The endpoints of {row['agency']} are not yours.")
