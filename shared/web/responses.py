"""JSON answers, written by orjson."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
from asyncpg import Record
from pydantic import BaseModel
from starlette.responses import Response

_OPTIONS = orjson.OPT_NON_STR_KEYS | orjson.OPT_UTC_Z


def json(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A response of plain values, models, or rows of a query."""
    body = orjson.dumps(value, default=_plain, option=_OPTIONS)
    return Response(body, status, headers=headers, media_type="application/json")


def _plain(value: Any) -> Any:
    match value:
        case Record():
            return dict(value)
        case BaseModel():
            return value.model_dump(mode="json", exclude_none=True)
        case UUID() | Decimal():  # a driver's own UUID is no plain one
            return str(value)
        case set() | frozenset():
            return sorted(value)
    raise TypeError(type(value).__name__)
