"""Queries on incidents and seals, and the figures of a region."""

from collections import Counter
from typing import Any, Literal

from fastapi import APIRouter
from starlette.responses import Response

from services.custody.api.queries import SQL, Reader, figures_of, visible
from services.custody.domain.errors import UnknownIncident
from shared.contracts.base import decode
from shared.contracts.custody import IncidentKind, SealRollLogged, SealsApplied
from shared.errors import NotFound
from shared.eventstore import Recorded
from shared.runtime import Service
from shared.web.lists import Region, listed
from shared.web.queries import CaughtUp, Paging
from shared.web.responses import json


def incidents_router(service: Service) -> APIRouter:
    router = APIRouter(tags=["incidents"], dependencies=[CaughtUp])

    @router.get("/incidents", summary="What was detected")
    async def incidents(
        reader: Reader,
        page: Paging,
        region: Region = None,
        kind: IncidentKind | None = None,
        status: Literal["open", "closed"] | None = None,
    ) -> Response:
        rows = SQL.incidents(
            service.pool,
            after=page.text(),
            kind=kind,
            status=status,
            fetch=page.fetch,
            **visible(reader, region),
        )
        return await listed(rows, page, "incident")

    @router.get("/incidents/{incident}", summary="One incident")
    async def one(reader: Reader, incident: str) -> Response:
        row = await SQL.incident(service.pool, incident=incident)
        if row is None:
            raise UnknownIncident(f"{incident[:256]} was never raised")
        reader.require_region(row["region"])
        return json(row)

    @router.get("/seal-rolls/{roll}", summary="Which numbers of a roll were logged and used")
    async def seal_roll(reader: Reader, roll: str) -> Response:
        events = await service.store.read_stream(f"seal-roll-{roll}")
        if not events:
            raise NotFound(f"Seal roll {roll[:80]} was never logged")
        found = _roll(events)
        reader.require_region(found["region"])
        return json(found)

    @router.get("/summary", summary="Units, incidents and consignments in figures")
    async def summary(reader: Reader, region: Region = None) -> Response:
        found = Figures()
        for area in figures_of(reader, region):
            async for row in SQL.unit_figures(service.pool, **area):
                found.count_units(row["n"], row["state"], row["custodian_kind"], row["broken"])
            async for row in SQL.incident_figures(service.pool, **area):
                found.incidents[row["kind"]] += row["n"]
            async for row in SQL.consignment_figures(service.pool, **area):
                found.consignments[row["state"]] += row["n"]
        return json(found.answer())

    return router


class Figures:
    """Sums over the regions asked for."""

    def __init__(self) -> None:
        self.broken: Counter[bool] = Counter()
        self.states: Counter[str] = Counter()
        self.custodians: Counter[str] = Counter()
        self.incidents: Counter[str] = Counter()
        self.consignments: Counter[str] = Counter()

    def count_units(self, n: int, state: str, custodian: str, broken: bool) -> None:
        self.broken[broken] += n
        self.states[state] += n
        self.custodians[custodian] += n

    def answer(self) -> dict[str, Any]:
        return {
            "units": self.broken.total(),
            "unbroken": self.broken[False],
            "broken": self.broken[True],
            "by_state": self.states,
            "by_custodian_kind": self.custodians,
            "incidents": self.incidents,
            "consignments": self.consignments,
        }


def _roll(events: list[Recorded]) -> dict[str, Any]:
    facts = [decode(event.type, event.data) for event in events]
    [logged] = [fact for fact in facts if isinstance(fact, SealRollLogged)]
    seals = [each for fact in facts if isinstance(fact, SealsApplied) for each in fact.seals]
    return {
        "roll": logged.roll,
        "region": logged.region,
        "first": logged.first,
        "last": logged.last,
        "used": len(seals),
        "seals": seals,
    }
