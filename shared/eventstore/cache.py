"""The recent states of streams, as many as fit into a budget of memory."""

from collections.abc import Iterable
from gc import get_referents
from sys import getrefcount, getsizeof
from typing import Any

CACHE_BYTES = 96 * 1024 * 1024
"""All that Jakarta moves on voting day; a service stays below 300 MB with it."""
PLACE_BYTES = 150
"""What an entry takes besides its stream's name and its state."""

COMMON = 8
"""What so many refer to is held by other states too, such as the name of an office."""

Versioned = tuple[int, Any]
"""A stream's version and its state there."""


def weigh(state: Any) -> int:
    """About the bytes that an immutable state holds for itself alone."""
    weight, parts = 0, [state]
    while parts:
        weight += sum(map(getsizeof, parts))
        held = {id(one): one for one in get_referents(*parts)}.values()
        parts = [one for one in held if getrefcount(one) < COMMON and not isinstance(one, type)]
    return weight


class StateCache:
    """The most recently used states. A state may be old, never wrong: a log only grows.

    A state is weighed when it comes and whenever its version has doubled since, for most of what
    is put replaces its like; one that grows with its events is then at most twice its weight.
    """

    def __init__(self, budget: int = CACHE_BYTES) -> None:
        self._budget = budget
        self._entries: dict[str, tuple[int, Any, int]] = {}
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, stream: str) -> bool:
        return stream in self._entries

    def get(self, stream: str) -> Versioned | None:
        """The state, which becomes the most recently used."""
        found = self._entries.pop(stream, None)
        if found is None:
            return None
        self._entries[stream] = found
        return found[:2]

    def put(self, stream: str, versioned: Versioned) -> None:
        """Keep a state unless a newer one is there."""
        version, state = versioned
        kept = self._entries.pop(stream, None)
        if kept is None:
            weight = PLACE_BYTES + getsizeof(stream) + weigh(state)
            self.bytes += weight
        elif kept[0] >= version:
            version, state, weight = kept
        elif kept[0].bit_length() == version.bit_length():
            weight = kept[2]
        else:
            weight = PLACE_BYTES + getsizeof(stream) + weigh(state)
            self.bytes += weight - kept[2]
        self._entries[stream] = (version, state, weight)
        if self.bytes > self._budget:
            self._make_room()

    def drop(self, streams: Iterable[str]) -> None:
        for stream in streams:
            dropped = self._entries.pop(stream, None)
            if dropped is not None:
                self.bytes -= dropped[2]

    def _make_room(self) -> None:
        """A sixteenth at once: to find a dict's oldest entry takes longer with each one deleted."""
        excess = self.bytes - self._budget * 15 // 16
        oldest: list[str] = []
        for stream, (_, _, weight) in self._entries.items():
            if excess <= 0:
                break
            oldest.append(stream)
            excess -= weight
        self.drop(oldest)
