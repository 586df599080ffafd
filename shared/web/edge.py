"""What is refused before any route is looked for, and what is caught after all of them."""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.web.problems import (
    BadRequest,
    HeadersTooLarge,
    TooLarge,
    UnsupportedMedia,
    respond,
)

NUL = b"%00"
MOST_HEADER_BYTES = 64 * 1024


class EdgeMiddleware:
    """Bounds headers and body, refuses NUL in the address, answers the unforeseen with a problem.

    Not the framework's own body limit: that one answers in plain text.
    """

    def __init__(self, app: ASGIApp, max_body_bytes: int) -> None:
        self._app = app
        self._most = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def watch(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            self._admit(scope)
            await self._app(scope, self._bounded(receive), watch)
        except Exception as error:
            if started:
                raise
            await respond(error)(scope, receive, send)

    def _admit(self, scope: Scope) -> None:
        if sum(len(name) + len(value) for name, value in scope["headers"]) > MOST_HEADER_BYTES:
            raise HeadersTooLarge(f"Headers may have {MOST_HEADER_BYTES} bytes together")
        headers = Headers(scope=scope)
        length = headers.get("content-length", "0")
        if not (length.isascii() and length.isdigit()) or int(length) > self._most:
            raise self._too_large()
        if headers.get("content-encoding", "identity").lower() != "identity":
            raise UnsupportedMedia("Send the body without a content encoding")
        if NUL in scope.get("raw_path", b"") or NUL in scope["query_string"]:
            raise BadRequest("The address contains a NUL character")

    def _bounded(self, receive: Receive) -> Receive:
        total = 0

        async def bounded() -> Message:
            nonlocal total
            message = await receive()
            total += len(message.get("body", b""))
            if total > self._most:
                raise self._too_large()
            return message

        return bounded

    def _too_large(self) -> TooLarge:
        return TooLarge(f"A body may have {self._most} bytes", limit=self._most)
