"""Incidents and what they mark: broken chains, late consignments. There are few of them."""

from collections.abc import Sequence
from typing import Any

import asyncpg
import orjson

from services.custody.projections.writes import SQL
from shared.bus.message import Message
from shared.contracts.custody import BREAKS_CHAIN, IncidentRaised


async def write(connection: asyncpg.Connection, messages: Sequence[Message]) -> None:
    for message in messages:
        fact = orjson.loads(message.data)
        if message.type == IncidentRaised.type:
            await _raised(connection, fact, message)
        else:
            await SQL.close_incident(
                connection,
                incident=fact["incident"],
                remedy=fact["remedy"],
                closed_at=message.occurred_at,
            )


async def _raised(connection: asyncpg.Connection, fact: dict[str, Any], message: Message) -> None:
    kind, units = fact["incident_kind"], fact["units"]
    await SQL.add_incident(
        connection,
        incident=fact["incident"],
        kind=kind,
        unit=fact.get("unit"),
        tps=fact.get("tps"),
        consignment=fact.get("consignment"),
        leg=fact["leg"],
        units=units,
        region=fact["region"],
        place=fact["place"],
        detail=fact["detail"],
        raised_at=message.occurred_at,
    )
    if kind in BREAKS_CHAIN:
        await SQL.break_units(connection, units=units)
    if kind == "late":
        await SQL.mark_late(connection, consignments=[fact["consignment"]])
