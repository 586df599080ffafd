"""Security coverage of a site: it ends when the site is withdrawn."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from shared.contracts.base import Event, Id, RegionCode, Text
from shared.contracts.exchange import CoverageClosed
from shared.eventstore.command import Command


class CloseCoverage(Command):
    """A site is no longer used: what was assigned to it ends. Once."""

    name: ClassVar[str] = "close-coverage"
    roles: ClassVar[frozenset[str]] = frozenset({"service"})

    site: Id
    region: RegionCode
    reason: Text

    def streams(self) -> tuple[str, ...]:
        return (stream(self.site),)


def stream(site: str) -> str:
    return f"coverage-{site}"


def close_coverage(
    command: CloseCoverage, states: Mapping[str, Any], context: Any
) -> Sequence[Event]:
    if states[stream(command.site)]:
        return ()
    return (CoverageClosed(region=command.region, site=command.site, reason=command.reason),)


def evolve(closed: bool, event: Event) -> bool:
    return closed or isinstance(event, CoverageClosed)
