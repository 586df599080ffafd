"""What the engine says of itself on /metrics."""

from prometheus_client import Counter, Gauge

_LANE = ("projection", "source")

POSITION = Gauge("kawal_projection_position", "Last position applied", _LANE)
LAG_EVENTS = Gauge("kawal_projection_lag_events", "Events of the source not yet applied", _LANE)
LAG_SECONDS = Gauge("kawal_projection_lag_seconds", "Age of the newest applied event", _LANE)
PARKED = Gauge("kawal_projection_parked", "Events parked, the poison ones and those behind", _LANE)
BATCHES = Counter("kawal_projection_batches", "Transactions that applied events", _LANE)
EVENTS = Counter("kawal_projection_events", "Events applied", _LANE)
PROGRESS = Gauge("kawal_projection_rebuild_ratio", "Rebuild done, 0 to 1", ("projection",))
INTENTS = Counter("kawal_policy_commands", "Commands of policies by outcome", ("policy", "outcome"))


def applied(name: str, source: str, events: int) -> None:
    BATCHES.labels(name, source).inc()
    EVENTS.labels(name, source).inc(events)
