"""What queries have in common: pages by cursor, ETags, and reading one's own writes."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import orjson
from fastapi import Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from shared.web.problems import BadRequest, Unavailable
from shared.web.responses import json

WAIT_SECONDS = 5.0
_AT_LEAST = re.compile(r"([a-z]+):([0-9]{1,15})")


class BadCursor(BadRequest):
    code, title = "bad-cursor", "The cursor is not one that this service gave"


class NotCaughtUp(Unavailable):
    code, title = "not-caught-up", "The read model has not got there yet"


@dataclass(frozen=True, slots=True)
class Page:
    """How many rows, and the sort key of the last row seen (None at the start)."""

    limit: int
    after: tuple[Any, ...] | None

    def number(self, start: int) -> int:
        """The sort key as an integer, `start` at the start; any other key is a `BadCursor`."""
        match self.after:
            case None:
                return start
            case (int() as last,):
                return last
        raise BadCursor("Take the cursor from the last page, as it is")

    def text(self, start: str = "") -> str:
        """The sort key as a text, `start` at the start; any other key is a `BadCursor`."""
        match self.after:
            case None:
                return start
            case (str() as last,):
                return last
        raise BadCursor("Take the cursor from the last page, as it is")

    @property
    def fetch(self) -> int:
        """Rows to ask for: one more than shown, to know whether there are more."""
        return self.limit + 1


def page(
    limit: Annotated[int, Query(ge=1, le=1000)] = 50,
    cursor: Annotated[str | None, Query(max_length=1000)] = None,
) -> Page:
    return Page(limit, read_cursor(cursor) if cursor else None)


Paging = Annotated[Page, Depends(page)]


def paged(
    rows: Sequence[Any], page: Page, key: Callable[[Any], Sequence[Any]], **extra: Any
) -> Response:
    """`{"items": [...], "next": cursor or null}` of up to `page.fetch` rows in the order of `key`.

    `key` gives plain JSON values: text or integers.
    """
    shown = rows[: page.limit]
    more = len(rows) > page.limit
    return json({"items": shown, "next": write_cursor(key(shown[-1])) if more else None, **extra})


def write_cursor(key: Sequence[Any]) -> str:
    return urlsafe_b64encode(orjson.dumps(list(key))).rstrip(b"=").decode()


def read_cursor(cursor: str) -> tuple[Any, ...]:
    """The sort key in a cursor; what nobody here has written is a `BadCursor`."""
    try:
        key = orjson.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError:
        raise BadCursor("Take the cursor from the last page, as it is") from None
    if not isinstance(key, list) or not key or not all(type(part) in (str, int) for part in key):
        raise BadCursor("Take the cursor from the last page, as it is")
    return tuple(key)


def etag(version: int | str) -> str:
    return f'"{version}"'


def tagged(request: Request, value: Any, version: int | str) -> Response:
    """The value with its version as ETag; 304 for who has it already."""
    headers = {"ETag": etag(version), "Cache-Control": "private, no-cache"}
    if etag(version) in _tags(request.headers.get("if-none-match", "")):
        return Response(status_code=304, headers=headers)
    return json(value, headers=headers)


def _tags(header: str) -> list[str]:
    return [tag.strip() for tag in header.split(",") if tag.strip()]


AtLeast = Annotated[list[str] | None, Query(description="<service>:<position>", max_length=10)]


async def caught_up(request: Request, at_least: AtLeast = None) -> None:
    """Waits until the read models are at the positions that the caller has seen."""
    for source, position in positions(at_least or []).items():
        await wait(request, source, position)


CaughtUp = Depends(caught_up)
"""`@router.get(..., dependencies=[CaughtUp])`"""


def positions(values: Sequence[str]) -> Mapping[str, int]:
    found: dict[str, int] = {}
    for value in values:
        match = _AT_LEAST.fullmatch(value)
        if match is None:
            raise BadRequest("at_least is <service>:<position>, as in custody:1234")
        found[match[1]] = max(int(match[2]), found.get(match[1], 0))
    return found


async def wait(request: Request, source: str, position: int) -> None:
    """503 if the projections of this service are not at `source`'s position within some seconds."""
    wait_for = getattr(request.app.state, "wait_for", None)
    if wait_for is None:
        raise NotCaughtUp("This process has no projections to wait for")
    await within(wait_for, source, position)


async def within(
    wait_for: Callable[[str, int, float], Awaitable[None]], source: str, position: int
) -> None:
    """Some seconds of `wait_for`; 503 if they do not suffice."""
    try:
        await wait_for(source, position, WAIT_SECONDS)
    except TimeoutError:
        raise NotCaughtUp(f"{source} is not at {position} yet; try again") from None
    except KeyError:
        raise BadRequest(f"Nothing here reads from {source}") from None
