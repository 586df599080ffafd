"""A service with two commands and a handler that remembers what it was asked."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar
from uuid import UUID

from fastapi import FastAPI

from shared.contracts.base import Count, Id, Text, Value
from shared.errors import Forbidden, Refused
from shared.eventstore import Appended, Command, CommandReused, Conflict, Context, Request
from shared.settings import Settings
from shared.testing.web import Issuer
from shared.web.app import create_app
from shared.web.commands import command_router
from shared.web.openapi import include
from shared.web.principal import Principal

NOW = datetime(2024, 2, 1, tzinfo=UTC)


class Seal(Value):
    number: Id


class PackBox(Command):
    """Pack a box."""

    name: ClassVar[str] = "pack-box"
    roles: ClassVar[frozenset[str]] = frozenset({"packer"})
    box: Id
    ballots: Count
    seals: tuple[Seal, ...] = ()
    note: Text | None = None

    def streams(self) -> tuple[str, ...]:
        return (f"box-{self.box}",)


class OpenBox(Command):
    """Open a box."""

    name: ClassVar[str] = "open-box"
    roles: ClassVar[frozenset[str]] = frozenset({"opener"})
    box: Id

    def streams(self) -> tuple[str, ...]:
        return (f"box-{self.box}",)


class BoxClosed(Refused):
    code = "box-closed"
    title = "The box is closed"


@dataclass
class RememberingHandler:
    """Accepts each command once; some boxes bring errors."""

    stored: dict[UUID, tuple[bytes, Appended]] = field(default_factory=dict)
    asked: list[Request] = field(default_factory=list)
    errors: dict[str, Exception] = field(default_factory=dict)
    down: Exception | None = None
    calls: int = 0
    free: asyncio.Event | None = None
    """Until it is set, nothing is answered."""

    async def handle(self, request: Request) -> Appended:
        [answer] = await self.handle_many([request])
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def handle_many(self, requests: Sequence[Request]) -> list[Appended | Exception]:
        self.calls += 1
        if self.free is not None:
            await self.free.wait()
        if self.down is not None:
            raise self.down
        return [self._one(request) for request in requests]

    def _one(self, request: Request) -> Appended | Exception:
        self.asked.append(request)
        if known := self.stored.get(request.command_id):
            fingerprint, appended = known
            if fingerprint != request.fingerprint:
                return CommandReused(request.command_id)
            return Appended(appended.first, appended.last, appended.result, True)
        if error := self.errors.get(request.command.box):
            return error
        if not request.context.covers("31.71"):
            return Forbidden("Region 31.71 is outside your jurisdiction")
        position = len(self.stored) + 1
        appended = Appended(position, position, b"{}", False)
        self.stored[request.command_id] = (request.fingerprint, appended)
        return appended


ERRORS: dict[str, Exception] = {
    "closed": BoxClosed("Box closed is closed", box="closed"),
    "contested": Conflict("box-contested", 3, 4),
    "broken": RuntimeError("a bug with a secret in it"),
}


def toy(handler: RememberingHandler, issuer: Issuer, **settings: Any) -> FastAPI:
    async def context(principal: Principal, commands: Sequence[Command]) -> Context:
        return Context(
            NOW, principal.actor, principal.agency, principal.roles, principal.jurisdiction
        )

    given = Settings(service="toy", **settings)
    app = create_app("toy", given, title="Toy", identity=issuer.authenticator())
    router = command_router(
        "toy",
        (PackBox, OpenBox),
        lambda: handler,  # type: ignore[arg-type, return-value]
        context,
        most_lines=given.max_upload_lines,
    )
    include(app, router)
    return app
