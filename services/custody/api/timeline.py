"""A unit's life from its own stream: who, when, where, and the times of uncertain control."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from shared.contracts.custody import (
    BREAKS_CHAIN,
    UnitFound,
    UnitHandedOver,
    UnitMissing,
    UnitOrphaned,
    UnitRecovered,
)
from shared.eventstore import Recorded

REGAINED = frozenset({UnitFound.type, UnitHandedOver.type, UnitRecovered.type})
"""After these an office answers for the unit again."""

LOST = frozenset({UnitMissing.type, UnitOrphaned.type})


def entries(events: Sequence[Recorded]) -> list[dict[str, Any]]:
    """Every event, in order; a person is named by id."""
    return [_entry(event) for event in events]


def _entry(event: Recorded) -> dict[str, Any]:
    said = event.metadata
    return {
        "version": event.version,
        "position": event.position,
        "type": event.type,
        "occurred_at": said.occurred_at,
        "recorded_at": event.recorded_at,
        "actor": said.actor,
        "agency": said.agency,
        "region": said.region,
        "data": orjson.Fragment(event.data),
    }


def gaps(
    events: Sequence[Recorded], incidents: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """When nobody can say for sure who had the unit: from the last sure sight of it to the next.

    One for each incident that breaks its chain. `until` is None while it is not regained.
    """
    breaks = [incident for incident in incidents if incident["kind"] in BREAKS_CHAIN]
    return [_gap(events, incident) for incident in breaks]


def _gap(events: Sequence[Recorded], incident: Mapping[str, Any]) -> dict[str, Any]:
    at: datetime = incident["raised_at"]
    before = [event for event in events if event.metadata.occurred_at < at]
    return {
        "cause": incident["kind"],
        "incident": incident["incident"],
        "detail": incident["detail"],
        "from": before[-1].metadata.occurred_at if before else at,
        "until": _regained(events, at),
    }


def _regained(events: Sequence[Recorded], at: datetime) -> datetime | None:
    """The first moment, from the incident on, at which an office had the unit for certain."""
    after = [event for event in events if event.metadata.occurred_at >= at]
    lost = any(event.type in LOST for event in after if event.metadata.occurred_at == at)
    if not lost and any(event.type in REGAINED for event in after):
        return next(e.metadata.occurred_at for e in after if e.type in REGAINED)
    for index, event in enumerate(after):
        if event.type in LOST:
            later = (e.metadata.occurred_at for e in after[index:] if e.type in REGAINED)
            return next(later, None)
    return None
