"""Reading a JSON body, strictly: what cannot be stored and shown again is not JSON to us."""

import re
from typing import Any

import orjson
from starlette.requests import Request

from shared.web.problems import BadRequest, UnsupportedMedia

_KEY = re.compile(r"[\x21-\x7e]{1,200}")


class Malformed(BadRequest):
    code, title = "malformed", "The body is not JSON"


async def read_json(request: Request) -> Any:
    """The body as JSON: UTF-8, no lone surrogate, no NUL, nested at most 1,024 deep."""
    media = media_type(request)
    if media != "application/json":
        raise UnsupportedMedia(f"The content type is {media or 'missing'}")
    return parse(await request.body())


def media_type(request: Request) -> str:
    """What the header `Content-Type` names, without its parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def parse(raw: bytes) -> Any:
    """JSON from bytes; `Malformed` says where it is not."""
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise Malformed(str(error)) from None
    if b"\\u0000" in raw and _has_nul(value):
        raise Malformed("A string contains a NUL character")
    return value


def canonical(value: Any) -> bytes:
    """What was parsed, as JSON with sorted keys; `Malformed` if it is too deep to be written."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError as error:
        raise Malformed(f"It is nested too deep: {error}") from None


def _has_nul(value: Any) -> bool:
    match value:
        case str():
            return "\x00" in value
        case list():
            return any(map(_has_nul, value))
        case dict():
            return any(map(_has_nul, value)) or any(map(_has_nul, value.values()))
    return False


def idempotency_key(request: Request) -> str:
    """The header `Idempotency-Key`, quoted as a structured string or not."""
    given = request.headers.get("idempotency-key", "").strip()
    if len(given) >= 2 and given[0] == given[-1] == '"':
        given = given[1:-1]
    if not given:
        raise IdempotencyKeyMissing("Send a header Idempotency-Key, a new one for each new command")
    if not _KEY.fullmatch(given):
        raise BadRequest("An Idempotency-Key is 1 to 200 visible ASCII characters")
    return given


class IdempotencyKeyMissing(BadRequest):
    code, title = "idempotency-key-missing", "An idempotency key is required"
