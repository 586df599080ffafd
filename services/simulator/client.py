"""The simulator's only way in: HTTP with bearer tokens, repeated until it is answered.

Every write carries an idempotency key that follows from the plan, so a request that was cut off, or
a whole run that starts again, is answered from what is stored.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson

TokenFactory = Callable[[str, tuple[str, ...]], str]
"""(agency, roles) -> bearer token that covers the whole scope."""

PATIENCE = 900
"""Seconds that an unreachable service is waited for, so that it can be restarted by hand."""


class Unexpected(Exception):
    """A service answered what the plan does not know."""


@dataclass(frozen=True, slots=True)
class Actor:
    agency: str
    roles: tuple[str, ...]


OPERATOR = Actor("KPU", ("operator", "registrar"))
ADMIN = Actor("KPU", ("admin", "operator", "registrar"))
CLOCK = Actor("KPU", ("clock",))
READER = Actor("BAWASLU", ("supervisor", "auditor"))


def custodian(agency: str) -> Actor:
    return Actor(agency, ("custodian",))


def agency(name: str) -> Actor:
    return Actor(name, ("agency",))


class Client:
    """`urls` maps a service's name to its base URL."""

    def __init__(self, urls: Mapping[str, str], tokens: TokenFactory, run: str) -> None:
        self.urls = urls
        self._tokens = tokens
        self._cache: dict[Actor, str] = {}
        self._run = run
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=120))

    async def close(self) -> None:
        await self._session.close()

    async def get(self, service: str, path: str, **query: Any) -> Any:
        params = {key: str(value) for key, value in query.items() if value is not None}
        status, body = await self._send("GET", service, path, READER, params=params)
        return _expect(status, body, {200}, f"GET {service} {path}")

    async def items(self, service: str, path: str, **query: Any) -> list[dict[str, Any]]:
        """All pages of a list."""
        found: list[dict[str, Any]] = []
        cursor = None
        while True:
            page = await self.get(service, path, cursor=cursor, **query)
            found.extend(page["items"])
            cursor = page.get("next")
            if not cursor:
                return found

    async def command(
        self,
        service: str,
        name: str,
        fields: Mapping[str, Any],
        key: str,
        actor: Actor = OPERATOR,
        expect: frozenset[int] = frozenset({201}),
    ) -> Any:
        status, body = await self._send(
            "POST", service, f"/commands/{name}", actor, key=key, json=fields
        )
        return _expect(status, body, expect, f"{service} {name}")

    async def post(
        self, service: str, path: str, body: Any, actor: Actor, key: str, **query: Any
    ) -> Any:
        status, answer = await self._send(
            "POST", service, path, actor, key=key, json=body, params=query
        )
        return _expect(status, answer, {200, 201, 202}, f"POST {service} {path}")

    async def bulk(
        self, service: str, commands: list[dict[str, Any]], key: str, actor: Actor = OPERATOR
    ) -> list[dict[str, Any]]:
        """A verdict per command, in order."""
        status, body = await self._send(
            "POST", service, "/commands", actor, key=key, json={"commands": commands}
        )
        return _expect(status, body, {200}, f"bulk {service}")["results"]

    async def _send(
        self,
        method: str,
        service: str,
        path: str,
        actor: Actor,
        key: str | None = None,
        json: Any = None,
        params: Mapping[str, Any] | None = None,
    ) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self._token(actor)}"}
        if key is not None:
            headers["Idempotency-Key"] = f"{self._run}:{key}"
        data = None
        if isinstance(json, bytes):
            data, headers["Content-Type"] = json, "text/csv"
        elif json is not None:
            data, headers["Content-Type"] = orjson.dumps(json), "application/json"
        return await self._persist(
            method, self.urls[service] + path, headers=headers, data=data, params=params
        )

    async def _persist(self, method: str, url: str, **request: Any) -> tuple[int, Any]:
        clock = asyncio.get_running_loop().time
        deadline = clock() + PATIENCE
        pause = 0.2
        while True:
            try:
                async with self._session.request(method, url, **request) as answer:
                    body = await answer.read()
                    if answer.status < 500:
                        return answer.status, orjson.loads(body) if body else None
                    failure = f"{answer.status} {body[:300].decode(errors='replace')}"
            except (aiohttp.ClientError, TimeoutError) as error:
                failure = f"{type(error).__name__}: {error}"
            if clock() > deadline:
                raise Unexpected(f"{method} {url}: {failure}")
            await asyncio.sleep(pause)
            pause = min(pause * 2, 5.0)

    def _token(self, actor: Actor) -> str:
        if actor not in self._cache:
            self._cache[actor] = self._tokens(actor.agency, actor.roles)
        return self._cache[actor]


def _expect(status: int, body: Any, expected: Iterable[int], what: str) -> Any:
    if status not in expected:
        raise Unexpected(f"{what}: {status} {_said(body)}")
    return body


def _said(body: Any) -> str:
    """A problem's own sentence; else the start of what came."""
    detail = body.get("detail") if isinstance(body, dict) else None
    return detail or orjson.dumps(body)[:600].decode()
