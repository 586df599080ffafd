"""What the queries share: their SQL, who reads, and which rows."""

from pathlib import Path
from typing import Annotated, Any

import aiosql
from fastapi import Depends, Query

from shared.web.auth import READERS, role
from shared.web.principal import Principal

SQL = aiosql.from_path(Path(__file__).with_suffix(".sql"), "asyncpg", mandatory_parameters=False)

Reader = Annotated[Principal, Depends(role(*READERS))]

Id = Annotated[str | None, Query(max_length=80)]

FIRST, LAST = "", "~"
"""Before and after every region code and every id."""


def codes_in(region: str | None) -> dict[str, str]:
    """The half-open range of the codes that lie in a region: '/' follows '.' in ASCII."""
    return {"low": FIRST, "high": LAST} if region is None else {"low": region, "high": f"{region}/"}


def visible(reader: Principal, region: str | None) -> dict[str, Any]:
    """The range asked for and, unless it is covered anyway, the reader's jurisdiction."""
    if region is not None and reader.covers(region):
        return {**codes_in(region), "scope": None}
    return {**codes_in(region), "scope": reader.scope()}


def figures_of(reader: Principal, region: str | None) -> list[dict[str, str]]:
    """The ranges that the reader's figures are summed over."""
    if region is not None:
        reader.require_region(region)
        return [codes_in(region)]
    if reader.everywhere:
        return [codes_in(None)]
    own = sorted(reader.jurisdiction)
    outer = [code for code in own if not any(code.startswith(f"{other}.") for other in own)]
    return [codes_in(code) for code in outer]
