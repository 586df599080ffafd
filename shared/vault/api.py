"""Persons over HTTP: registered, read by few, forgotten."""

from hashlib import sha256
from typing import Annotated, Any
from uuid import NAMESPACE_URL, uuid5

import orjson
from fastapi import APIRouter, Request
from fastapi import Path as InPath
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from shared.contracts.base import Id, RegionCode, decode
from shared.errors import NotFound
from shared.eventstore import CommandHandler, CommandReused
from shared.eventstore import Request as CommandRequest
from shared.runtime import Service
from shared.telemetry import traceparent
from shared.vault import vault
from shared.vault.people import ROLES, ForgetPerson, PeopleDecider, Record, RegisterPerson
from shared.web.auth import Caller
from shared.web.body import idempotency_key
from shared.web.principal import Principal
from shared.web.responses import json

_IDS = uuid5(NAMESPACE_URL, "urn:kawal:person")


class PersonRegistration(BaseModel):
    model_config = ConfigDict(extra="forbid")

    person: Id
    region: RegionCode
    record: Record


class PersonNamed(BaseModel):
    model_config = ConfigDict(extra="forbid")

    person: Id


def people_router(service: Service) -> APIRouter:
    """The commands take a record that must not become part of a stored command, so they are no
    ordinary ones: the vault takes it, the command bears its salted hash."""
    router = APIRouter(tags=["people"])
    people = _People(service)

    @router.post("/commands/register-person", status_code=201, summary="Keep a person's record")
    async def register(request: Request, who: Caller, body: PersonRegistration) -> Response:
        """Again, to change it. The record goes to the vault, its salted hash into the log."""
        return json(await people.register(who, idempotency_key(request), body), 201)

    @router.post("/commands/forget-person", status_code=201, summary="Delete a person's record")
    async def forget(request: Request, who: Caller, body: PersonNamed) -> Response:
        """Record and salt are deleted. What was issued meanwhile is kept as it was issued."""
        return json(await people.forget(who, idempotency_key(request), body.person), 201)

    @router.get("/people/{person}", summary="A person's record")
    async def read(who: Caller, person: Annotated[Id, InPath()]) -> Response:
        who.require(*ROLES)
        row = await vault.find(service.pool, person)
        if row is None or row["record"] is None:
            raise NotFound(f"Nobody is registered as {person}.")
        who.require_region(row["region"])
        record = orjson.loads(row["record"])
        return json({"person": person, "region": row["region"], "record": record})

    return router


class _People:
    def __init__(self, service: Service) -> None:
        self._service = service
        self._decider = PeopleDecider(service.name)
        self._handler: CommandHandler | None = None

    async def register(self, who: Principal, key: str, body: PersonRegistration) -> dict[str, Any]:
        """Checked before anything is kept: who may, and whether the key was used for another."""
        who.require(*ROLES)
        who.require_region(body.region)
        known = await vault.find(self._service.pool, body.person)
        if known is not None:
            who.require_region(known["region"])
        await self._check_key(who, key, body, known)
        digest = await vault.put(self._service.pool, body.person, body.region, body.record)
        command = RegisterPerson(person=body.person, region=body.region, record_sha256=digest)
        return await self._handle(who, key, command)

    async def forget(self, who: Principal, key: str, person: str) -> dict[str, Any]:
        """The log first: a forgetting that was cut off is completed by the next one, under
        whatever key; a late repetition leaves who was registered again."""
        who.require(*ROLES)
        known = await vault.find(self._service.pool, person)
        if known is not None:
            who.require_region(known["region"])
        try:
            return await self._handle(who, key, ForgetPerson(person=person))
        finally:
            if not await self._registered(person):
                await vault.forget(self._service.pool, person)

    async def _registered(self, person: str) -> bool:
        """Whether the log says so: what happened last to a person decides."""
        life = await self._service.store.read_stream(f"person-{person}")
        last = [decode(each.type, each.data) for each in life[-1:]]
        return any(self._decider.evolve(None, event) is not None for event in last)

    async def _check_key(
        self, who: Principal, key: str, body: PersonRegistration, known: Any
    ) -> None:
        command_id = _command_id(who, key)
        if await self._service.store.command(command_id) is None:
            return
        unchanged = known is not None and known["record"] == body.record.encode()
        if not unchanged or known["region"] != body.region:
            raise CommandReused(command_id)

    async def _handle(
        self, who: Principal, key: str, command: RegisterPerson | ForgetPerson
    ) -> dict[str, Any]:
        if self._handler is None:
            self._handler = CommandHandler(self._service.store, self._decider)
        fingerprint = sha256(command.name.encode() + command.model_dump_json().encode()).digest()
        context = await self._service.context(who, ())
        request = CommandRequest(
            command, _command_id(who, key), fingerprint, context, traceparent=traceparent()
        )
        appended = await self._handler.handle(request)
        return {"outcome": "accepted", "position": appended.last}


def _command_id(who: Principal, key: str) -> Any:
    return uuid5(_IDS, f"{who.actor}\n{key}")
