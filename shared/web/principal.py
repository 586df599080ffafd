"""Who acts: a person by id, of an agency, with roles, over a set of regions."""

from collections.abc import Iterable
from dataclasses import dataclass

from shared.errors import Forbidden
from shared.eventstore.command import EVERYWHERE


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller of a request. A region's code covers what lies within it; "*" covers all."""

    actor: str
    agency: str
    roles: frozenset[str]
    jurisdiction: frozenset[str]

    @property
    def everywhere(self) -> bool:
        return EVERYWHERE in self.jurisdiction

    def covers(self, region: str) -> bool:
        return self.everywhere or any(within in self.jurisdiction for within in enclosing(region))

    def covers_any(self, regions: Iterable[str]) -> bool:
        """Whether one of the regions is covered: enough to read what concerns several."""
        return self.everywhere or any(self.covers(region) for region in regions)

    def scope(self) -> list[str] | None:
        """The jurisdiction as a query's argument; None for everywhere. See `enclosing`."""
        return None if self.everywhere else sorted(self.jurisdiction)

    def require(self, *roles: str) -> None:
        """Refuses who has none of these roles."""
        if self.roles.isdisjoint(roles):
            raise Forbidden(f"This needs the role {' or '.join(sorted(roles))}")

    def require_region(self, region: str) -> None:
        """Refuses whose jurisdiction does not cover the region."""
        if not self.covers(region):
            raise Forbidden(f"Region {region} is outside your jurisdiction", region=region)


def enclosing(region: str) -> list[str]:
    """The region and what it lies in: 31.71.01 -> 31, 31.71, 31.71.01.

    A read model that stores these for each of its rows' regions can filter by
    `$1::text[] is null or regions && $1` with `Principal.scope()`.
    """
    parts = region.split(".")
    return [".".join(parts[: n + 1]) for n in range(len(parts))]
