"""Imports: the directory that ships with the service: as often as one likes."""

from hashlib import sha256
from uuid import NAMESPACE_URL, uuid5

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.exchange import directory
from shared.eventstore import Command, Context
from shared.eventstore import Request as CommandRequest
from shared.runtime import Service
from shared.telemetry import traceparent
from shared.web.auth import Caller
from shared.web.body import idempotency_key
from shared.web.principal import EVERYWHERE
from shared.web.responses import json

_IDS = uuid5(NAMESPACE_URL, "urn:kawal:directory")


def imports_router(service: Service) -> APIRouter:
    router = APIRouter(tags=["imports"])

    @router.post("/imports/directory", summary="Register the agencies of the shipped directory")
    async def load(request: Request, who: Caller) -> Response:
        who.require("admin", "registrar")
        key = idempotency_key(request)
        commands = directory.shipped()
        # The directory is the same for everyone, so the role suffices: no region is asked for.
        context = Context(
            now=service.clock.now(),
            actor=who.actor,
            agency=who.agency,
            roles=who.roles,
            jurisdiction=frozenset({EVERYWHERE}),
        )
        wanted = [_request(each, context, f"{who.actor}\n{key}") for each in commands]
        answers = await service.handler.handle_many(wanted)
        for answer in answers:
            if isinstance(answer, Exception):
                raise answer
        position = await service.store.position()
        return json({"agencies": len(commands), "position": position})

    return router


def _request(command: Command, context: Context, key: str) -> CommandRequest:
    body = command.model_dump_json().encode()
    command_id = uuid5(_IDS, f"{key}\n{sha256(body).hexdigest()}")
    return CommandRequest(
        command, command_id, sha256(body).digest(), context, traceparent=traceparent()
    )
