"""States of streams: the cache of the recent ones, and how they are brought up to date."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from shared.eventstore.command import Decider
from shared.eventstore.snapshots import SnapshotKeeper, Snapshots
from shared.eventstore.store import EventStore
from shared.eventstore.upcasters import Upcasters

Versioned = tuple[int, Any]
"""A stream's version and its state there."""


class StateCache:
    """The most recently used states. A state may be old, never wrong: a log only grows."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._states: dict[str, Versioned] = {}

    def __len__(self) -> int:
        return len(self._states)

    def get(self, stream: str) -> Versioned | None:
        """The state, which becomes the most recently used."""
        found = self._states.pop(stream, None)
        if found is not None:
            self._states[stream] = found
        return found

    def put(self, stream: str, versioned: Versioned) -> None:
        """Keep a state unless a newer one is there."""
        kept = self._states.pop(stream, None)
        if kept is not None and kept[0] > versioned[0]:
            versioned = kept
        self._states[stream] = versioned
        if len(self._states) > self._size:
            del self._states[next(iter(self._states))]

    def drop(self, streams: Iterable[str]) -> None:
        for stream in streams:
            self._states.pop(stream, None)


class States:
    """Loads states through the cache, by one query for any number of streams."""

    def __init__(
        self,
        store: EventStore,
        decider: Decider,
        upcasters: Upcasters,
        cache_size: int,
        snapshots: Snapshots | None = None,
    ) -> None:
        self.cache = StateCache(cache_size)
        self._store = store
        self._decider = decider
        self._decode = upcasters.decode
        self._snapshots = SnapshotKeeper(store, snapshots)

    async def load(
        self, streams: Collection[str], *, fresh: bool
    ) -> tuple[dict[str, Versioned], frozenset[str]]:
        """The states, and those streams whose state comes from the cache and may be old.

        `fresh` reads on from the cached states, so that none is older than this call.
        """
        states: dict[str, Versioned] = {}
        cached: set[str] = set()
        behind: dict[str, Versioned] = {}
        for stream in streams:
            known = self.cache.get(stream)
            if known is not None and not fresh:
                states[stream] = known
                cached.add(stream)
            else:
                behind[stream] = known or (0, self._decider.initial(stream))
        if behind:
            unknown = [stream for stream, (version, _) in behind.items() if version == 0]
            behind |= await self._snapshots.read(unknown)
            states |= await self._catch_up(behind)
        return states, frozenset(cached)

    def committed(self, after: Mapping[str, Versioned]) -> None:
        """Remember the states that an append has led to."""
        for stream, versioned in after.items():
            self.cache.put(stream, versioned)
            self._snapshots.offer(stream, *versioned)

    async def _catch_up(self, behind: Mapping[str, Versioned]) -> dict[str, Versioned]:
        news = await self._store.read_bodies(
            list(behind), [version for version, _ in behind.values()]
        )
        caught_up = dict(behind)
        evolve = self._decider.evolve
        for stream, bodies in news.items():
            state = behind[stream][1]
            for _, type, data in bodies:
                state = evolve(state, self._decode(type, data))
            caught_up[stream] = (bodies[-1][0], state)
        for stream, versioned in caught_up.items():
            self.cache.put(stream, versioned)
        return caught_up
