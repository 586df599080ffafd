"""What webhooks say of themselves on /metrics."""

from prometheus_client import Counter, Gauge, Histogram

TRIES = Counter("kawal_webhook_tries", "Tries by outcome", ["outcome"])
SECONDS = Histogram("kawal_webhook_seconds", "Time that an endpoint took to answer")
AGE = Histogram(
    "kawal_webhook_age_seconds",
    "From the queueing of a fact to its delivery",
    buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 30, 300, 3_600, 86_400),
)
OLDEST = Gauge("kawal_webhook_oldest_seconds", "Age of the oldest fact that waits")
