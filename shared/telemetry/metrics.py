"""Figures for Prometheus, in OpenMetrics so that a histogram can point at an example trace."""

from prometheus_client import REGISTRY, Counter, Histogram
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST, generate_latest

CONTENT_TYPE = CONTENT_TYPE_LATEST

REQUESTS = Counter(
    "kawal_http_requests", "Requests answered", ["service", "method", "route", "status"]
)
REQUEST_SECONDS = Histogram(
    "kawal_http_request_seconds", "Time to answer a request", ["service", "method", "route"]
)
COMMANDS = Counter("kawal_commands", "Commands by verdict", ["service", "command", "outcome"])
TICKS = Counter("kawal_scheduler_commands", "Commands of the scheduler", ["service", "outcome"])


def exposition() -> bytes:
    """Everything that this process counts."""
    return generate_latest(REGISTRY)
