"""What the rules ask of the world: which places are registered, and the route of a consignment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from services.custody.domain.errors import Changed, PlaceNotRegistered
from shared.contracts.custody import Node


class Stop(NamedTuple):
    """A node of a route: the place, the office that takes over there, its region."""

    place: str
    office: str
    region: str


Route = tuple[Stop, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """`places`: the regions of those asked for that are registered; `routes`: by consignment,
    fixed for ever.
    """

    places: Mapping[str, str] = field(default_factory=dict)
    routes: Mapping[str, Route] = field(default_factory=dict)

    def route(self, consignment: str) -> Route:
        """The route of a consignment that a unit was on when the facts were gathered."""
        try:
            return self.routes[consignment]
        except KeyError:
            raise Changed(f"{consignment} was loaded meanwhile") from None

    def require_registered(self, route: Sequence[Node]) -> None:
        unknown = [node.place for node in route if node.place not in self.places]
        if unknown:
            raise PlaceNotRegistered(f"{', '.join(unknown)}: not a ready place", places=unknown)
