"""What a service answers on NATS, served by FastStream on a connection of Kawal's own.

FastStream leaves a request unanswered when its handler fails; here every failure is an answer, a
problem document, so that who asked does not wait in vain.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from faststream import BaseMiddleware
from faststream.nats import NatsBroker, NatsResponse
from pydantic import ValidationError

from shared.bus.connection import Client
from shared.errors import Refused

log = logging.getLogger(__name__)

Connect = Callable[[], Awaitable[Client]]


class RequestFailed(Exception):
    """The service answered with a problem document."""

    def __init__(self, problem: dict[str, Any]) -> None:
        super().__init__(problem.get("detail") or problem.get("title"))
        self.problem = problem


class Broker(NatsBroker):
    """A FastStream broker on a connection that `connect` makes (see `shared.bus.connection`)."""

    def __init__(self, connect: Connect | None = None, **options: Any) -> None:
        super().__init__(logger=None, middlewares=(_Answering,), **options)
        self._make = connect

    async def _connect(self) -> Client:
        client = await self._make()
        self.config.connect(client)
        return client


class _Answering(BaseMiddleware):
    async def consume_scope(self, call_next: Any, msg: Any) -> Any:
        try:
            return await call_next(msg)
        except Exception as error:
            return NatsResponse(orjson.dumps(problem(error), default=str))


def problem(error: Exception) -> dict[str, Any]:
    """The RFC 9457 document for what went wrong with a request."""
    match error:
        case Refused():
            return error.problem()
        case ValidationError():
            wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
            return _problem(422, "invalid", wrong)
    log.exception("request failed", exc_info=error)
    return _problem(503, "unavailable", "The request could not be answered; ask again")


def _problem(status: int, code: str, detail: str) -> dict[str, Any]:
    return {
        "type": f"urn:problem:kawal:{code}",
        "title": "The request failed",
        "status": status,
        "code": code,
        "detail": detail,
    }


async def serve(broker: Broker) -> None:
    """Answer until cancelled."""
    await broker.start()
    try:
        await asyncio.Event().wait()
    finally:
        await broker.stop()


async def ask(nats: Client, subject: str, body: Any, *, timeout: float = 10, **headers: str) -> Any:
    """The answer to a request; raises `RequestFailed` on a problem, nats-py's errors on silence."""
    answer = await nats.request(
        subject, orjson.dumps(body), timeout=timeout, headers=headers or None
    )
    if answer.data.startswith(b'{"type":"urn:problem:'):
        raise RequestFailed(orjson.loads(answer.data))
    return answer.data
