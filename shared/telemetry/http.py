"""A span and two figures for each request, named by the route's template."""

import logging
import time
from typing import Any

from opentelemetry.trace import Span, SpanKind, StatusCode
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.telemetry.metrics import REQUEST_SECONDS, REQUESTS
from shared.telemetry.tracing import span

log = logging.getLogger(__name__)

QUIET = ("/health", "/metrics")
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class TelemetryMiddleware:
    """Takes the caller's `traceparent`; what is written further in belongs to its trace."""

    def __init__(self, app: ASGIApp, service: str) -> None:
        self._app = app
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(QUIET):
            await self._app(scope, receive, send)
            return
        method = scope["method"] if scope["method"] in METHODS else "_"
        status = 500

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        started = time.perf_counter()
        with span(method, SpanKind.SERVER, caused_by=_traceparent(scope)) as current:
            try:
                await self._app(scope, receive, watch)
            finally:
                route = template(scope)
                _describe(current, method, route, status)
                # What went well is in the figures; what was refused is looked up by its trace.
                level = logging.DEBUG if status < 400 else logging.INFO
                log.log(level, "%s %s %d", method, route, status)
                self._count(current, method, route, status, time.perf_counter() - started)

    def _count(self, current: Span, method: str, route: str, status: int, seconds: float) -> None:
        REQUESTS.labels(self._service, method, route, status).inc()
        context = current.get_span_context()
        example = {"trace_id": f"{context.trace_id:032x}"} if context.trace_flags.sampled else None
        REQUEST_SECONDS.labels(self._service, method, route).observe(seconds, example)


def template(scope: Scope) -> str:
    """The path with its parameters' names; `_` where no route was found."""
    route: Any = scope.get("route")
    return getattr(route, "path", None) or scope.get("kawal.route") or "_"


def _traceparent(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"traceparent":
            return str(value.decode("latin-1"))
    return ""


def _describe(current: Span, method: str, route: str, status: int) -> None:
    if not current.is_recording():
        return
    current.update_name(f"{method} {route}")
    current.set_attribute("http.request.method", method)
    current.set_attribute("http.route", route)
    current.set_attribute("http.response.status_code", status)
    if status >= 500:
        current.set_status(StatusCode.ERROR)
