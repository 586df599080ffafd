"""However custody's events are cut into folds, the read model says what it says one by one."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import asyncpg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tally import service_pool

from services.custody.projections.custody import CustodyView
from shared.bus.message import Message
from shared.contracts import custody
from shared.projection.registry import create_tables
from shared.testing.projections import MemoryLog
from shared.testing.provision import Database

UNITS = ("BOX-1", "BOX-2", "BOX-3")
CONSIGNMENTS = ("OUT-1", "OUT-2")
REGIONS = ("31.71", "31.71.01", "31.72", "32.01")
TABLES = ("unit", "consignment", "incident")
DAY = "2024-02-13T01:00:00Z"
ROUTE = [{"place": "A", "office": "KPU", "region": "31.71"}] * 2

regions, units, consignments = map(st.sampled_from, (REGIONS, UNITS, CONSIGNMENTS))
offices = st.sampled_from(("KPU-31.71", "PPK-31.71.01"))
numbers = st.integers(1, 3)


def fact(kind: type[custody.Custody], **fields: Any) -> st.SearchStrategy[tuple[str, dict]]:
    return st.tuples(st.just(kind.type), st.fixed_dictionaries(fields))


facts = st.one_of(
    fact(custody.UnitSealed, unit=units, seal=st.sampled_from("STU")),
    fact(custody.UnitLoaded, unit=units, consignment=consignments),
    fact(
        custody.UnitHandedOver,
        unit=units,
        final=st.booleans(),
        receiver=offices,
        place=regions,
        region=regions,
        condition=st.sampled_from(("good", "damaged")),
    ),
    fact(custody.UnitUnloaded, unit=units),
    fact(custody.UnitRecovered, unit=units, receiver=offices, place=regions, region=regions),
    fact(custody.UnitOrphaned, unit=units, office=offices, place=regions, region=regions),
    fact(custody.UnitFound, unit=units, office=offices, place=regions, region=regions),
    fact(custody.UnitScanned, unit=units, region=regions),
    fact(custody.UnitMissing, unit=units),
    fact(custody.UnitVoided, unit=units),
    fact(custody.ConsignmentDeparted, consignment=consignments, departed_at=st.just(DAY)),
    fact(
        custody.HandOverReceived,
        consignment=consignments,
        leg=numbers,
        missing=st.lists(units, max_size=2),
        final=st.booleans(),
        received_at=st.just(DAY),
    ),
    fact(custody.ConsignmentUnloaded, consignment=consignments, units=st.lists(units, max_size=2)),
    fact(custody.ConsignmentCancelled, consignment=consignments),
    fact(
        custody.IncidentRaised,
        incident=st.sampled_from("XYZ"),
        incident_kind=st.sampled_from(("late", "seal-different", "condition")),
        consignment=consignments,
        leg=numbers,
        units=st.lists(units, max_size=2),
        region=regions,
        place=regions,
        detail=st.just("a detail"),
    ),
)
closings = fact(custody.IncidentClosed, incident=st.sampled_from("XYZ"), remedy=st.just("solved"))


def begun() -> list[tuple[str, dict[str, Any]]]:
    """Units and consignments are registered and planned before anything else becomes of them."""
    unit = {"unit_kind": "box", "contents": "DPR", "custodian": "KPU-31.71", "place": "A"}
    planned = {
        "direction": "outbound",
        "region": "31.71",
        "route": ROUTE,
        "route_regions": ["31.71"],
        "units": list(UNITS),
        "release_from": DAY,
        "release_until": DAY,
    }
    return [
        *(
            (custody.UnitRegistered.type, unit | {"unit": one, "home": "31.71", "region": "31.71"})
            for one in UNITS
        ),
        *((custody.ConsignmentPlanned.type, planned | {"consignment": c}) for c in CONSIGNMENTS),
    ]


async def content(
    connection: asyncpg.Connection, schema: str, parts: Sequence[Sequence[Message]]
) -> dict[str, list[dict[str, Any]]]:
    """What the tables say when these parts were written to them, and that is undone."""
    view, undone = CustodyView(), connection.transaction()
    await undone.start()
    await create_tables(connection, view, schema)
    for part in parts:
        await view.apply(connection, part)
    found = {
        table: [dict(row) for row in await connection.fetch(f"select * from {table} order by 1")]
        for table in TABLES
    }
    for row in found["unit"]:
        row["elsewhere"] = sorted(row["elsewhere"])
    await undone.rollback()
    return found


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    happened=st.lists(facts, min_size=5, max_size=25),
    closed=st.lists(closings, max_size=3),
    data=st.data(),
)
async def test_any_fold_of_any_events_says_what_they_say_one_by_one(
    database: Database, happened, closed, data
) -> None:
    log = MemoryLog("custody")
    for type, fields in (*begun(), *happened, *closed):
        log.add(type, "any", fields)
    cuts = data.draw(st.sets(st.integers(1, log.position - 1), min_size=1, max_size=4))
    bounds = [0, *sorted(cuts), log.position]
    parts = [log.messages[a:b] for a, b in pairwise(bounds)]
    async with service_pool(database, 1) as pool, pool.acquire() as connection:
        one_by_one = await content(connection, "one", [[message] for message in log.messages])
        assert await content(connection, "whole", [log.messages]) == one_by_one
        assert await content(connection, "cut", parts) == one_by_one
