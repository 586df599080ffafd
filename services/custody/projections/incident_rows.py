"""Incidents and what they mark: broken chains, late consignments. There are few of them."""

from collections.abc import Sequence
from typing import Any

import asyncpg
import orjson

from services.custody.projections.writes import SQL
from shared.bus.message import Message
from shared.contracts.custody import BREAKS_CHAIN, IncidentRaised


async def write(connection: asyncpg.Connection, messages: Sequence[Message]) -> None:
    """Those that were raised before those that were closed: each begins once."""
    raised, closed = [], []
    for message in messages:
        (raised if message.type == IncidentRaised.type else closed).append(message)
    if raised:
        await _raised(connection, raised)
    if closed:
        await SQL.close_incident(connection, [_closed(message) for message in closed])


async def _raised(connection: asyncpg.Connection, messages: Sequence[Message]) -> None:
    facts = [orjson.loads(message.data) for message in messages]
    rows = [_row(fact, message) for fact, message in zip(facts, messages, strict=True)]
    await SQL.add_incident(connection, rows)
    broken = {u for fact in facts if fact["incident_kind"] in BREAKS_CHAIN for u in fact["units"]}
    late = {fact["consignment"] for fact in facts if fact["incident_kind"] == "late"}
    if broken:
        await SQL.break_units(connection, units=sorted(broken))
    if late:
        await SQL.mark_late(connection, consignments=sorted(late))


def _row(fact: dict[str, Any], message: Message) -> dict[str, Any]:
    return {
        "incident": fact["incident"],
        "kind": fact["incident_kind"],
        "unit": fact.get("unit"),
        "tps": fact.get("tps"),
        "consignment": fact.get("consignment"),
        "leg": fact["leg"],
        "units": fact["units"],
        "region": fact["region"],
        "place": fact["place"],
        "detail": fact["detail"],
        "raised_at": message.occurred_at,
    }


def _closed(message: Message) -> dict[str, Any]:
    fact = orjson.loads(message.data)
    closed_at = message.occurred_at
    return {"incident": fact["incident"], "remedy": fact["remedy"], "closed_at": closed_at}
