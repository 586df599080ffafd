"""Equal values as one object: thousands of states hold the same places, routes and hours."""

from collections.abc import Hashable
from functools import lru_cache
from typing import TypeVar

T = TypeVar("T", bound=Hashable)


@lru_cache(maxsize=8_192)
def _first(kind: type, value: Hashable) -> Hashable:
    return value


def one(value: T) -> T:
    """The value, or an equal one that came before it."""
    return _first(type(value), value)  # type: ignore[return-value]
