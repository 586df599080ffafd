"""Commands over HTTP: one route each, and one for many at once with a verdict for each."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import sha256
from typing import Any
from uuid import NAMESPACE_URL, UUID

import orjson
from fastapi import APIRouter
from pydantic import ValidationError
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from shared.errors import Forbidden, Invalid, NotFound, Refused
from shared.eventstore import Appended, Command, CommandHandler, CommandReused, Context, Request
from shared.eventstore.ids import uuid5
from shared.eventstore.results import ACCEPTED
from shared.telemetry import traceparent
from shared.telemetry.metrics import COMMANDS
from shared.web.auth import caller
from shared.web.body import canonical, idempotency_key, media_type, read_json
from shared.web.openapi import MOST_AT_ONCE, describe
from shared.web.principal import Principal
from shared.web.problems import Unavailable, problem_of
from shared.web.responses import json
from shared.web.upload import NDJSON, Upload

log = logging.getLogger(__name__)

EARLIEST = datetime(2022, 1, 1, tzinfo=UTC)
AHEAD = timedelta(hours=24)
MOST_WAITING = 2_000
"""Lone commands at a time in one process: more would wait longer than a client does."""
_IDS = uuid5(NAMESPACE_URL, "urn:kawal:command")

MakeContext = Callable[[Principal, Sequence[Command]], Awaitable[Context]]


class OutsideTime(Invalid):
    code = "occurred-at-out-of-bounds"
    title = "It cannot have happened then"


class Overloaded(Unavailable):
    code = "overloaded"
    title = "Too many commands are waiting"


class UnknownCommand(NotFound):
    code = "unknown-command"
    title = "No such command"


def command_router(
    service: str,
    commands: Sequence[type[Command]],
    handler: Callable[[], CommandHandler],
    context: MakeContext,
    *,
    bulk: bool = True,
    most_lines: int = 100_000,
    after: Callable[[Appended], Awaitable[None]] | None = None,
) -> APIRouter:
    """`POST /commands/{name}` for each command and, if `bulk`, `POST /commands` for many: a list,
    or an upload of up to `most_lines` lines.

    `handler` is asked at each request, for it exists only once the service runs. `context` is made
    once per request, for all its commands. `after` is awaited before a command is answered.
    """
    api = CommandApi(service, commands, handler, context, most_lines, after)
    posts = {f"/commands/{model.name}": api.single(model) for model in commands}
    if bulk:
        posts["/commands"] = api.bulk
    router = APIRouter()
    for path, endpoint in posts.items():
        router.add_route(path, endpoint, methods=["POST"], name=path)
    describe(router, commands, posts, bulk=bulk)
    return router


class CommandApi:
    """Plain Starlette endpoints, leaner by half; `openapi.describe` documents them."""

    def __init__(
        self,
        service: str,
        commands: Sequence[type[Command]],
        handler: Callable[[], CommandHandler],
        context: MakeContext,
        most_lines: int,
        after: Callable[[Appended], Awaitable[None]] | None = None,
    ) -> None:
        self._service = service
        self._models = {model.name: model for model in commands}
        self._handler = handler
        self._context = context
        self._most_lines = most_lines
        self._after = after
        self._waiting = 0

    def single(self, model: type[Command]) -> Callable[[HttpRequest], Awaitable[Response]]:
        async def endpoint(http: HttpRequest) -> Response:
            http.scope["kawal.route"] = f"/commands/{model.name}"
            if self._waiting >= MOST_WAITING:
                raise Overloaded(f"{self._waiting} commands wait already; try again")
            principal = await caller(http)
            key = idempotency_key(http)
            admit(model, principal)
            command, fingerprint = parse(model, await read_json(http))
            context = await self._context(principal, (command,))
            check_time(command, context.now)
            command_id = self._command_id(principal, key)
            request = Request(command, command_id, fingerprint, context, traceparent=traceparent())
            self._waiting += 1
            try:
                appended = await self._handler().handle(request)
            except Exception as error:
                self._count(model.name, _outcome(error))
                raise
            finally:
                self._waiting -= 1
            self._count(model.name, "accepted")
            if self._after is not None:
                await self._after(appended)
            return json(accepted(appended), 201, _replay_headers(appended))

        return endpoint

    async def bulk(self, http: HttpRequest) -> Response:
        http.scope["kawal.route"] = "/commands"
        principal = await caller(http)
        key = idempotency_key(http)
        judge = partial(self._judge, principal, key)
        if media_type(http) == NDJSON:
            return Upload(http.stream(), judge, self._most_lines)
        items = _items(await read_json(http))
        return json({"results": await judge(list(enumerate(items)))})

    async def _judge(
        self, principal: Principal, key: str, items: Sequence[tuple[int, Any]]
    ) -> list[dict[str, Any]]:
        """The verdicts on commands of one request, each with its place there."""
        parsed = [self._parse_item(item, principal) for _, item in items]
        commands = [each[0] for each in parsed if not isinstance(each, Exception)]
        verdicts: list[Any] = [each if isinstance(each, Exception) else None for each in parsed]
        if commands:
            context = await self._context(principal, commands)
            keys = [f"{key}\n{place}" for place, _ in items]
            requests = self._requests(parsed, verdicts, principal, keys, context)
            # A long list is decided without a pause; let what waits have its turn first.
            await asyncio.sleep(0)
            done = await self._handler().handle_many([request for _, request in requests])
            for (index, _), verdict in zip(requests, done, strict=True):
                verdicts[index] = verdict
        return [self._verdict(item, each) for (_, item), each in zip(items, verdicts, strict=True)]

    def _parse_item(self, item: Any, principal: Principal) -> tuple[Command, bytes] | Exception:
        if isinstance(item, Exception):
            return item
        try:
            if not isinstance(item, dict) or not isinstance(name := item.get("name"), str):
                raise Invalid('Each command is an object with a member "name"')
            model = self._models.get(name)
            if model is None:
                raise UnknownCommand(f"There is no command {name[:80]}")
            admit(model, principal)
            return parse(model, {key: value for key, value in item.items() if key != "name"})
        except (Refused, ValidationError) as error:
            return error

    def _requests(
        self,
        parsed: Sequence[tuple[Command, bytes] | Exception],
        verdicts: list[Any],
        principal: Principal,
        keys: Sequence[str],
        context: Context,
    ) -> list[tuple[int, Request]]:
        found, parent = [], traceparent()
        for index, each in enumerate(parsed):
            if isinstance(each, Exception):
                continue
            command, fingerprint = each
            try:
                check_time(command, context.now)
            except OutsideTime as error:
                verdicts[index] = error
                continue
            command_id = self._command_id(principal, keys[index])
            request = Request(command, command_id, fingerprint, context, traceparent=parent)
            found.append((index, request))
        return found

    def _command_id(self, principal: Principal, key: str) -> UUID:
        return uuid5(_IDS, f"{self._service}\n{principal.actor}\n{key}")

    def _verdict(self, item: Any, verdict: Appended | Exception) -> dict[str, Any]:
        name = item.get("name") if isinstance(item, dict) else None
        known = name if isinstance(name, str) and name in self._models else "_"
        if isinstance(verdict, Exception):
            self._count(known, _outcome(verdict))
            return problem_of(verdict)
        self._count(known, "accepted")
        known_before = {"replayed": True} if verdict.replayed else {}
        return {"status": 201, **accepted(verdict), **known_before}

    def _count(self, command: str, outcome: str) -> None:
        COMMANDS.labels(self._service, command, outcome).inc()


def admit(model: type[Command], principal: Principal) -> None:
    """Whether a person with these roles may give such a command at all."""
    if model.roles and principal.roles.isdisjoint(model.roles):
        raise Forbidden(f"{model.name} needs the role {' or '.join(sorted(model.roles))}")


def parse(model: type[Command], body: Any) -> tuple[Command, bytes]:
    """The command, and the fingerprint that tells a repeated body from another one."""
    content = canonical(body)
    fingerprint = sha256(model.name.encode() + b"\n" + content).digest()
    return model.model_validate_json(content, strict=True), fingerprint


def check_time(command: Command, now: datetime) -> None:
    """Refuses a time before 2022, or more than a day ahead of the business clock."""
    at = command.occurred_at
    if at is not None and not EARLIEST <= at <= now + AHEAD:
        raise OutsideTime(f"{at.isoformat()} is before 2022, or a day after {now.isoformat()}")


def accepted(appended: Appended) -> dict[str, Any]:
    """What an accepted command answers; the same when it is repeated."""
    told = orjson.loads(appended.result) if appended.result != ACCEPTED else {}
    return {"outcome": "accepted", "position": appended.last, **told}


def _items(body: Any) -> list[Any]:
    items = body.get("commands") if isinstance(body, dict) else None
    if not isinstance(items, list) or len(body) != 1:
        raise Invalid('The body must be {"commands": [...]}')
    if not 1 <= len(items) <= MOST_AT_ONCE:
        raise Invalid(f"Send 1 to {MOST_AT_ONCE} commands at once, not {len(items)}")
    return items


def _outcome(error: Exception) -> str:
    match error:
        case Refused():
            return error.code
        case CommandReused():
            return "reused"
        case ValidationError():
            return "invalid"
    return type(error).__name__.lower()


def _replay_headers(appended: Appended) -> dict[str, str] | None:
    return {"Idempotent-Replayed": "true"} if appended.replayed else None
