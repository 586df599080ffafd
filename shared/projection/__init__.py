"""Read models and policies: exactly once in effect, rebuilt without downtime."""

from shared.projection.base import Fold, Folding, Intent, Policy, Projection
from shared.projection.errors import WaitTimeout
from shared.projection.feeds import stream_feeds
from shared.projection.migrate import migrate
from shared.projection.parking import Parked
from shared.projection.worker import Worker

__all__ = [
    "Fold",
    "Folding",
    "Intent",
    "Parked",
    "Policy",
    "Projection",
    "WaitTimeout",
    "Worker",
    "migrate",
    "stream_feeds",
]
