"""What is refused before any route is looked for, and what is caught after all of them."""

from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.web.problems import (
    BadRequest,
    HeadersTooLarge,
    TooLarge,
    UnsupportedMedia,
    respond,
)
from shared.web.upload import NDJSON

NUL = b"%00"
MOST_HEADER_BYTES = 64 * 1024


class EdgeMiddleware:
    """Bounds headers and body, refuses NUL in the address, answers the unforeseen with a problem.

    Not the framework's own body limit: that one answers in plain text.
    """

    def __init__(self, app: ASGIApp, max_body_bytes: int, uploads: Mapping[str, int]) -> None:
        """`uploads`: the bounds of those paths that read a body of lines as it comes."""
        self._app = app
        self._most = max_body_bytes
        self._uploads = uploads

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
            most = self._admit(scope)
            await self._app(scope, self._bounded(receive, most), watch)
        except Exception as error:
            if started:
                raise
            await respond(error)(scope, receive, send)

    def _admit(self, scope: Scope) -> int:
        """How many bytes the body may have."""
        if sum(len(name) + len(value) for name, value in scope["headers"]) > MOST_HEADER_BYTES:
            raise HeadersTooLarge(f"Headers may have {MOST_HEADER_BYTES} bytes together")
        headers = Headers(scope=scope)
        most = self._most
        if headers.get("content-type", "").lower().startswith(NDJSON):
            most = self._uploads.get(scope["path"], most)
        length = headers.get("content-length", "0")
        if not (length.isascii() and length.isdigit()) or int(length) > most:
            raise _too_large(most)
        if headers.get("content-encoding", "identity").lower() != "identity":
            raise UnsupportedMedia("Send the body without a content encoding")
        if NUL in scope.get("raw_path", b"") or NUL in scope["query_string"]:
            raise BadRequest("The address contains a NUL character")
        return most

    @staticmethod
    def _bounded(receive: Receive, most: int) -> Receive:
        total = 0

        async def bounded() -> Message:
            nonlocal total
            message = await receive()
            total += len(message.get("body", b""))
            if total > most:
                raise _too_large(most)
            return message

        return bounded


def _too_large(most: int) -> TooLarge:
    return TooLarge(f"A body may have {most} bytes", limit=most)
