"""Lists of rows by region, a page at a time."""

from collections.abc import AsyncIterable
from typing import Annotated, Any

import orjson
from asyncpg import Record
from fastapi import Query
from starlette.responses import Response

from shared.contracts.base import RegionCode
from shared.web.principal import Principal
from shared.web.queries import Page, paged

Region = Annotated[RegionCode | None, Query(description="A region and all below it")]


def within(who: Principal, region: str | None) -> dict[str, Any]:
    """`region` and `scope` of a query: what is asked for, and the jurisdiction that it lies in."""
    return {"region": region, "scope": who.scope()}


async def listed(
    query: AsyncIterable[Record], at: Page, *key: str, json: frozenset[str] = frozenset()
) -> Response:
    """A page of the query's rows, which are sorted by the columns of `key`; see `paged`."""
    rows = [plain(row, json) async for row in query]
    return paged(rows, at, lambda row: [row[name] for name in key])


def plain(row: Record, json: frozenset[str]) -> dict[str, Any]:
    """A row whose JSON columns go out as Postgres wrote them."""
    return {
        name: orjson.Fragment(value) if name in json and value is not None else value
        for name, value in row.items()
    }
