"""Imports: the official totals, apportioned; or a file of real counts."""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query, Request
from pydantic import Field, TypeAdapter
from starlette.responses import Response

from services.inventory.api.queries import SQL
from services.inventory.imports import counts, geography, reference, tps_file
from services.inventory.imports.counts import Count
from services.inventory.imports.run import Importer
from shared.contracts.base import RegionCode, Value
from shared.errors import Invalid, Refused
from shared.runtime import Service
from shared.web.auth import Caller
from shared.web.body import canonical, idempotency_key, read_json
from shared.web.principal import Principal
from shared.web.problems import UnsupportedMedia
from shared.web.queries import wait
from shared.web.responses import json

IMPORTERS = ("operator", "admin")
Scope = Annotated[tuple[RegionCode, ...], Field(min_length=1, max_length=300)]
SCOPE = TypeAdapter(Scope)


class UnknownRegion(Invalid):
    code = "unknown-region"
    title = "No such region"


class NoFigures(Invalid):
    code = "no-figures"
    title = "No official figures are shipped for this region"


class OtherCounts(Refused):
    code = "other-counts"
    title = "Polling stations are registered that the file does not have"


class OfficialImport(Value):
    """Regions whose polling stations are apportioned from the official totals."""

    scope: Scope


def imports_router(service: Service) -> APIRouter:
    router = APIRouter(tags=["imports"])
    body = {"application/json": {"schema": OfficialImport.model_json_schema()}}

    @router.post(
        "/imports/official",
        summary="Register a scope from the official totals, apportioned and labelled so",
        openapi_extra={"requestBody": {"required": True, "content": body}},
    )
    async def official(request: Request, who: Caller) -> Response:
        key = idempotency_key(request)
        raw = canonical(await read_json(request))
        scope = _admitted(who, OfficialImport.model_validate_json(raw).scope)
        await _see_own_log(request, service)
        wanted = await asyncio.to_thread(_apportioned, scope)
        known = await _known(service, wanted)
        counted = {code for code, (_, sources) in known.items() if sources != {"apportioned"}}
        wanted = [count for count in wanted if count.kelurahan not in counted]
        return await _carry_out(service, who, key, _kelurahan(scope), wanted)

    file = {"text/csv": {"schema": {"type": "string"}}}

    @router.post(
        "/imports/polling-stations",
        summary="Register the polling stations that a CSV file counts",
        openapi_extra={"requestBody": {"required": True, "content": file}},
    )
    async def polling_stations(
        request: Request, who: Caller, scope: Annotated[str, Query(max_length=5000)] = ""
    ) -> Response:
        key = idempotency_key(request)
        media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media != "text/csv":
            raise UnsupportedMedia(f"The content type is {media or 'missing'}, not text/csv")
        most = await _max_voters(service)
        wanted = await asyncio.to_thread(tps_file.read, await request.body(), most)
        if scope:
            regions = SCOPE.validate_python(tuple(scope.split(",")))
            wanted = [c for c in wanted if _lies_in(c.kelurahan, regions)]
        if not wanted:
            raise tps_file.BadFile("The file has no row in the scope.")
        _admitted(who, [count.kelurahan for count in wanted])
        await _see_own_log(request, service)
        _refuse_others(wanted, await _known(service, wanted))
        codes = [count.kelurahan for count in wanted]
        return await _carry_out(service, who, key, codes, wanted)

    return router


def _admitted(who: Principal, scope: Sequence[str]) -> Sequence[str]:
    """The scope, if the caller may import it and it exists."""
    who.require(*IMPORTERS)
    for region in scope:
        who.require_region(region)
        if geography.name_of(region) is None:
            raise UnknownRegion(f"There is no region {region}.", region=region)
    return scope


async def _see_own_log(request: Request, service: Service) -> None:
    await wait(request, service.name, await service.store.position())


def _apportioned(scope: Sequence[str]) -> list[Count]:
    """The counts of the kelurahan in the scope, out of whole cities'."""
    cities = sorted({kelurahan[:5] for kelurahan in _kelurahan(scope)})
    lacking = [city for city in cities if city not in reference.figures()]
    if lacking:
        raise NoFigures(f"No official figures for {', '.join(lacking[:10])}.", regions=lacking)
    return [
        count
        for city in cities
        for count in counts.apportioned(city, reference.figures()[city])
        if _lies_in(count.kelurahan, scope)
    ]


def _kelurahan(scope: Iterable[str]) -> list[str]:
    return sorted({code for region in scope for code in geography.kelurahan_of(region)})


def _lies_in(kelurahan: str, scope: Collection[str]) -> bool:
    return any(kelurahan == region or kelurahan.startswith(f"{region}.") for region in scope)


async def _known(service: Service, wanted: Sequence[Count]) -> dict[str, tuple[set[str], set[str]]]:
    """Kelurahan -> (its registered stations, where their counts came from)."""
    found: dict[str, tuple[set[str], set[str]]] = {}
    regions = [count.kelurahan for count in wanted]
    async for row in SQL.known_stations(service.pool, regions=regions):
        stations, sources = found.setdefault(row["region"], (set(), set()))
        stations.add(row["tps"])
        sources.add(row["source"])
    return found


def _refuse_others(wanted: Sequence[Count], known: dict[str, tuple[set[str], set[str]]]) -> None:
    """A file cannot take away stations; what is registered beyond it must not be there."""
    listed = {command.tps for command in counts.stations(wanted)}
    others = sorted(tps for stations, _ in known.values() for tps in stations - listed)
    if others:
        raise OtherCounts(
            f"{len(others)} polling stations are registered that the file does not have, "
            f"the first of them {others[0]}.",
            polling_stations=others[:50],
        )


async def _max_voters(service: Service) -> int:
    row = await SQL.rules(service.pool)
    return orjson.loads(row["body"])["max_voters"] if row else reference.rules("31").max_voters


async def _carry_out(
    service: Service, who: Principal, key: str, kelurahan: Sequence[str], wanted: Sequence[Count]
) -> Response:
    importer = Importer(service.handler, await service.context(who, ()), key)
    position = await importer.issue([*(await _basics(service, kelurahan)), *_regions(kelurahan)])
    stations = list(counts.stations(wanted))
    position = max(position, await importer.issue(stations))
    answer: dict[str, Any] = {
        "regions": len(_regions(kelurahan)),
        "polling_stations": len(stations),
        "position": position or await service.store.position(),
    }
    return json(answer)


async def _basics(service: Service, kelurahan: Sequence[str]) -> list[Any]:
    """Rules and catalogue where there are none; what an operator has changed stays."""
    province = kelurahan[0][:2]
    items = {row["item"] async for row in SQL.items(service.pool)}
    rules = [] if await SQL.rules(service.pool) else [reference.rules(province)]
    return [*rules, *(item for item in reference.catalogue(province) if item.item not in items)]


def _regions(kelurahan: Sequence[str]) -> list[Any]:
    return list(geography.registrations(kelurahan))
