"""The business clock, against which deadlines are judged, and what acts when they pass."""

from shared.clock.clock import BusinessClock, RealClock, SimulatedClock
from shared.clock.moving import ClockBackwards, MoveClock
from shared.clock.scheduler import Scheduler, Tick

__all__ = [
    "BusinessClock",
    "ClockBackwards",
    "MoveClock",
    "RealClock",
    "Scheduler",
    "SimulatedClock",
    "Tick",
]
