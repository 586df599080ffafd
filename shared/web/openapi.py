"""The OpenAPI document: what FastAPI finds, with commands and problems added; and a page."""

from collections.abc import Mapping, Sequence
from html import escape
from inspect import cleandoc
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from shared.eventstore import Command
from shared.web.direct import Endpoint
from shared.web.upload import NDJSON

MOST_AT_ONCE = 2_000
"""Commands in one request."""

_REF = "#/components/schemas/{model}"
_LINES = (
    "A command on each line, as an item of the list has it. Decided and answered while it comes, "
    "so read while you send; what broke off is sent again whole, with the same key."
)
_VERDICTS = (
    "A line for each, in order: `line`, `status`, and `position` or the members of a problem. "
    "`replayed` where the command was known before."
)
_VERBS = ("get", "post", "put", "patch", "delete")

_PROBLEM = {
    "type": "object",
    "title": "Problem",
    "description": "RFC 9457. Further members depend on `code`.",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
    },
}
_ACCEPTED = {
    "type": "object",
    "title": "Accepted",
    "required": ["outcome", "position"],
    "properties": {"outcome": {"const": "accepted"}, "position": {"type": "integer", "minimum": 0}},
}
_PROBLEM_RESPONSE = {
    "description": "A problem",
    "content": {"application/problem+json": {"schema": {"$ref": _REF.format(model="Problem")}}},
}
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": "New for each new command; repeated with the same body it repeats the answer.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 202},
}


def describe(
    router: APIRouter,
    commands: Sequence[type[Command]],
    posts: Mapping[str, Endpoint],
    *,
    bulk: bool,
) -> None:
    """Remembers which commands the router's plain routes take, and their endpoints by path."""
    router.kawal_commands = (tuple(commands), bulk)  # type: ignore[attr-defined]
    router.kawal_posts = posts  # type: ignore[attr-defined]


def include(app: FastAPI, router: APIRouter) -> None:
    """Adds the router's routes to the app and its commands to the document."""
    app.include_router(router)
    if described := getattr(router, "kawal_commands", None):
        app.state.commands = [*getattr(app.state, "commands", []), described]
        app.state.direct |= router.kawal_posts  # type: ignore[attr-defined]


def document(app: FastAPI) -> dict[str, Any]:
    """The document, made once all routes are there."""
    if app.openapi_schema is None:
        app.openapi_schema = _complete(app)
    return app.openapi_schema


def _complete(app: FastAPI) -> dict[str, Any]:
    made = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes
    )
    components = made.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schemas |= {"Problem": _PROBLEM, "Accepted": _ACCEPTED}
    components.setdefault("securitySchemes", {})["bearer"] = {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
    }
    for commands, bulk in getattr(app.state, "commands", []):
        refs, definitions = models_json_schema(
            [(model, "validation") for model in commands], ref_template=_REF
        )
        schemas |= definitions.get("$defs", {})
        for model in commands:
            body = refs[model, "validation"]
            made["paths"][f"/commands/{model.name}"] = {"post": _single(model, body)}
        if bulk:
            made["paths"]["/commands"] = {"post": _bulk(commands)}
    _problems_for_all(made["paths"])
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    return made


def _single(model: type[Command], body: dict[str, Any]) -> dict[str, Any]:
    text = (model.__doc__ or model.name).strip()
    return {
        "operationId": f"command-{model.name}",
        "tags": ["commands"],
        "summary": text.splitlines()[0],
        "description": f"{text}\n\nRoles: {', '.join(sorted(model.roles)) or 'any'}.",
        "security": [{"bearer": []}],
        "parameters": [_KEY],
        "requestBody": _json_body(body),
        "responses": {"201": _json(_told(model), {"$ref": _REF.format(model="Accepted")})},
    }


def _told(model: type[Command]) -> str:
    """What an acceptance says beside the position."""
    more = model.told is not Command.told and model.told.__doc__
    return f"Accepted. {cleandoc(more)}" if more else "Accepted"


def _bulk(commands: Sequence[type[Command]]) -> dict[str, Any]:
    item = {
        "type": "object",
        "required": ["name"],
        "description": "A command's name beside its fields.",
        "properties": {"name": {"enum": [model.name for model in commands]}},
    }
    results = {"type": "array", "items": {"type": "object", "required": ["status"]}}
    body = {"type": "array", "minItems": 1, "maxItems": MOST_AT_ONCE, "items": item}
    return {
        "operationId": "commands",
        "tags": ["commands"],
        "summary": "Many commands at once, each with its own verdict",
        "security": [{"bearer": []}],
        "parameters": [_KEY],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": _object("commands", body)},
                NDJSON: {"schema": {"type": "string", "description": _LINES}},
            },
        },
        "responses": {
            "200": {
                "description": "A verdict for each, in order",
                "content": {
                    "application/json": {"schema": _object("results", results)},
                    NDJSON: {"schema": {"type": "string", "description": _VERDICTS}},
                },
            }
        },
    }


def _object(member: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "required": [member],
        "additionalProperties": False,
        "properties": {member: schema},
    }


def _json_body(schema: dict[str, Any]) -> dict[str, Any]:
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _json(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _problems_for_all(paths: dict[str, Any]) -> None:
    for operations in paths.values():
        for verb in set(_VERBS) & operations.keys():
            responses = operations[verb].setdefault("responses", {})
            responses.pop("422", None)
            responses["default"] = _PROBLEM_RESPONSE


_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width,initial-scale=1">
<style>body{{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}}
td{{padding:.2rem .8rem .2rem 0;vertical-align:top}}code{{font-size:.95em}}</style>
<h1>{title}</h1><p>{description}</p>
<p>Machine readable: <a href="/openapi.json">OpenAPI</a>, <a href="/asyncapi.json">AsyncAPI</a>.</p>
<table>{rows}</table></html>
"""
_ROW = "<tr><td><code>{verb}</code></td><td><code>{path}</code></td><td>{summary}</td></tr>"


def page(document: dict[str, Any]) -> str:
    """The routes as a plain page that needs nothing from elsewhere."""
    rows = [
        _ROW.format(
            verb=verb.upper(),
            path=escape(path),
            summary=escape(operations[verb].get("summary", "")),
        )
        for path, operations in sorted(document["paths"].items())
        for verb in _VERBS
        if verb in operations
    ]
    info = document["info"]
    return _PAGE.format(
        title=escape(info["title"]),
        description=escape(info.get("description", "")),
        rows="\n".join(rows),
    )
