"""What is sent: a fact as a CloudEvent in structured JSON, under an id that retries share."""

from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import orjson

from shared.eventstore import Recorded

CONTENT_TYPE = "application/cloudevents+json"
_IDS = uuid5(NAMESPACE_URL, "urn:kawal:webhook")


def webhook_id(endpoint: str, event: UUID) -> UUID:
    """The same for the same event to the same endpoint, for ever."""
    return uuid5(_IDS, f"{endpoint}\n{event}")


def body(event: Recorded, source: str) -> bytes:
    """The attributes that the event's NATS message has in its headers; `data` as it is stored."""
    meta = orjson.loads(event.meta)
    known = {
        "specversion": "1.0",
        "id": str(event.id),
        "source": source,
        "type": event.type,
        "subject": event.stream,
        "time": meta["occurred_at"],
        "recordedtime": event.recorded_at.isoformat(),
        "region": meta["region"],
        "regions": ",".join(meta["regions"]),
        "agency": meta["agency"],
        "actor": meta["actor"],
        "traceparent": meta.get("traceparent"),
        "datacontenttype": "application/json",
    }
    return _json({**known, "data": orjson.Fragment(event.data)})


def ping(endpoint: str, source: str, id: UUID) -> bytes:
    """A CloudEvent that says nothing but that the endpoint can be reached."""
    known = {"specversion": "1.0", "id": str(id), "source": source, "type": "exchange.ping.v1"}
    return _json({**known, "subject": f"endpoint-{endpoint}", "data": {"endpoint": endpoint}})


def _json(attributes: dict[str, Any]) -> bytes:
    return orjson.dumps({name: value for name, value in attributes.items() if value})
