"""The way of hot routes: found by their whole path, before the framework looks at any other."""

from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

Endpoint = Callable[[Request], Awaitable[Response]]


class DirectRoutes:
    """Answers a POST to one of the paths; what else comes goes on to the app.

    The framework's search and wrapping of a route cost more than a command's own work.
    """

    def __init__(self, app: ASGIApp, posts: Mapping[str, Endpoint]) -> None:
        self._app = app
        self._posts = posts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        post = scope["type"] == "http" and scope["method"] == "POST"
        endpoint = self._posts.get(scope["path"]) if post else None
        if endpoint is None:
            await self._app(scope, receive, send)
            return
        try:
            response = await endpoint(Request(scope, receive))
        except ClientDisconnect:
            response = Response(status_code=499)
        await response(scope, receive, send)
