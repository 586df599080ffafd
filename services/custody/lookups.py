"""What decisions are told from outside their streams, looked up once for all of a request."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import aiosql
import asyncpg
import orjson

from services.custody.domain import consignments
from services.custody.domain.facts import Facts, Route
from services.custody.domain.planning import PlanConsignment
from services.custody.domain.strays import RecoverUnit, ScanUnit
from shared.contracts.base import decode
from shared.contracts.custody import ConsignmentPlanned, UnitLoaded
from shared.eventstore import Command, EventStore
from shared.runtime import Service

SQL = aiosql.from_path(Path(__file__).with_suffix(".sql"), "asyncpg", mandatory_parameters=False)

NO_FACTS = Facts()


async def facts(service: Service, commands: Sequence[Command]) -> Facts:
    """One query for all the places named, and the routes of the units that strayed."""
    named: set[str] = set()
    seen: set[str] = set()
    for command in commands:
        match command:
            case PlanConsignment():
                named.update(halt.place for halt in command.route)
            case ScanUnit():
                named.add(command.place)
                seen.add(command.unit)
            case RecoverUnit():
                seen.add(command.unit)
    if not named and not seen:
        return NO_FACTS
    places = await _ready(service.pool, named)
    return Facts(places, await _routes(service.store, seen) if seen else {})


async def _ready(pool: asyncpg.Pool, named: Iterable[str]) -> dict[str, str]:
    rows = SQL.ready(pool, ids=list(named))
    return {row["place"]: row["region"] async for row in rows}


async def _routes(store: EventStore, units: Iterable[str]) -> dict[str, Route]:
    """The routes of the consignments that these units were last loaded on, from the log itself."""
    lives = await store.read_bodies([f"unit-{unit}" for unit in units])
    loaded = {
        orjson.loads(data)["consignment"]
        for life in lives.values()
        for _, type, data in life
        if type == UnitLoaded.type
    }
    plans = await store.read_bodies([consignments.stream(name) for name in loaded])
    events = [decode(life[0][1], life[0][2]) for life in plans.values()]
    return {
        event.consignment: consignments.route_of(event.route)
        for event in events
        if isinstance(event, ConsignmentPlanned)
    }
