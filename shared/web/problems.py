"""Every error as RFC 9457 problem+json, made in one place."""

import http
import logging
from collections.abc import Mapping
from typing import Any

import asyncpg
import orjson
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from shared.errors import Invalid, Refused
from shared.eventstore import CommandReused, Conflict
from shared.telemetry import trace_id

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
MOST_ERRORS = 20
_OPTIONS = orjson.OPT_NON_STR_KEYS | orjson.OPT_UTC_Z


class HttpProblem(Refused):
    """A request that is refused before, or beside, the domain."""

    headers: Mapping[str, str] = {}


class BadRequest(HttpProblem):
    code, title, status = "bad-request", "The request cannot be understood", 400


class Unauthenticated(HttpProblem):
    code, title, status = "unauthenticated", "A valid bearer token is needed", 401
    headers = {"WWW-Authenticate": 'Bearer realm="kawal"'}


class TooLarge(HttpProblem):
    code, title, status = "too-large", "The request is too large", 413


class HeadersTooLarge(HttpProblem):
    code, title, status = "headers-too-large", "The headers are too large", 431


class UnsupportedMedia(HttpProblem):
    code, title, status = "unsupported-media-type", "Send application/json", 415


class Unavailable(HttpProblem):
    code, title, status = "unavailable", "Not available at the moment", 503
    headers = {"Retry-After": "1"}


# What asyncpg raises when the database is away, full, or starting, or a read model is new.
UNAVAILABLE: tuple[type[Exception], ...] = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.CannotConnectNowError,
    asyncpg.InterfaceError,
    asyncpg.UndefinedTableError,  # a read model that its worker has not made yet
    ConnectionError,
    TimeoutError,
)


def problem_of(error: Exception) -> dict[str, Any]:
    """The problem document for any exception; an unforeseen one is logged and tells nothing."""
    match error:
        case Refused():
            return error.problem()
        case Conflict():
            return document(
                409,
                "conflict",
                "Someone else was first",
                f"{error.stream} changed while the command was decided; read it again",
                stream=error.stream,
            )
        case CommandReused():
            return document(
                422,
                "idempotency-key-reused",
                "The idempotency key was used for another content",
                "Use a new key for a new command, or repeat the old one unchanged",
            )
        case ValidationError() | RequestValidationError():
            return invalid_input(error)
        case HTTPException():
            return _of_http(error)
        case _ if isinstance(error, asyncpg.DataError) or _is_unencodable(error):
            log.warning("refused by the database: %s", error)
            return document(422, "invalid", Invalid.title, "A value is out of range")
    if isinstance(error, UNAVAILABLE):
        log.warning("unavailable: %s: %s", type(error).__name__, error)
        return Unavailable("Something that this service needs does not answer; try again").problem()
    log.error("unforeseen error", exc_info=error)
    title = "Something went wrong here"
    return document(500, "internal", title, "It was logged", trace_id=trace_id())


def _is_unencodable(error: Exception) -> bool:
    """A value that asyncpg cannot send, an integer too large: its error is both of these."""
    return isinstance(error, asyncpg.InterfaceError) and isinstance(error, ValueError)


def document(status: int, code: str, title: str, detail: str, **extra: Any) -> dict[str, Any]:
    return {
        "type": f"urn:problem:kawal:{code}",
        "title": title,
        "status": status,
        "code": code,
        "detail": detail,
        **extra,
    }


def invalid_input(error: ValidationError | RequestValidationError) -> dict[str, Any]:
    """422 with a pointer and a sentence for each of the first errors; never the input."""
    found = error.errors()
    errors = [
        {"pointer": _pointer(each["loc"]), "detail": each["msg"], "code": each["type"]}
        for each in found[:MOST_ERRORS]
    ]
    if any(each["code"] == "json_invalid" for each in errors):
        return document(400, "malformed", "The body is not JSON", errors[0]["detail"])
    detail = f"{errors[0]['pointer'] or '/'}: {errors[0]['detail']}" if errors else "Invalid"
    return document(422, "invalid", "The request does not fit the schema", detail, errors=errors)


def _pointer(loc: tuple[Any, ...]) -> str:
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in loc)


def _of_http(error: HTTPException) -> dict[str, Any]:
    title = http.HTTPStatus(error.status_code).phrase
    return document(error.status_code, title.lower().replace(" ", "-"), title, str(error.detail))


def render(problem: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    body = orjson.dumps(problem, default=str, option=_OPTIONS)
    return Response(body, problem["status"], headers=headers, media_type=MEDIA_TYPE)


def respond(error: Exception) -> Response:
    """The response to an exception."""
    headers = getattr(error, "headers", None)
    problem = problem_of(error)
    if headers is None and problem["status"] == 503:
        headers = Unavailable.headers
    return render(problem, headers)


async def _handle(request: Request, error: Exception) -> Response:
    if isinstance(error, ClientDisconnect):
        return Response(status_code=499)
    if isinstance(error, HTTPException) and error.status_code in (404, 405):
        error.detail = _address(request, error)
    return respond(error)


def _address(request: Request, error: HTTPException) -> str:
    """What the framework says of an address is but the status in words."""
    path = request.url.path[:80]
    if error.status_code == 404:
        return f"There is nothing at {path}"
    allowed = (error.headers or {}).get("Allow", "another method")
    return f"{request.method[:20]} is not possible at {path}: {allowed} is"


def install(app: FastAPI) -> None:
    """Whatever a route raises becomes a problem document."""
    handled = (
        *(Refused, Conflict, CommandReused, HTTPException, RequestValidationError),
        *(asyncpg.DataError, ClientDisconnect, *UNAVAILABLE),
    )
    for kind in handled:
        app.add_exception_handler(kind, _handle)
