"""States of streams, loaded through the cache of the recent ones."""

import logging
from collections.abc import Collection, Mapping

from shared.eventstore.cache import StateCache, Versioned
from shared.eventstore.command import Decider
from shared.eventstore.snapshots import SnapshotKeeper, Snapshots
from shared.eventstore.store import EventStore
from shared.eventstore.upcasters import Upcasters

log = logging.getLogger(__name__)


class States:
    """Loads states through the cache, by one query for any number of streams."""

    def __init__(
        self,
        store: EventStore,
        decider: Decider,
        upcasters: Upcasters,
        cache: StateCache,
        snapshots: Snapshots | None = None,
    ) -> None:
        self._cache = cache
        self._store = store
        self._decider = decider
        self._decode = upcasters.decode
        self._snapshots = SnapshotKeeper(store, snapshots)

    async def load(
        self, streams: Collection[str], *, fresh: bool
    ) -> tuple[dict[str, Versioned], frozenset[str]]:
        """The states, and those streams whose state comes from the cache and may be old.

        `fresh` reads on from the cached states, so that none is older than this call. A stream
        that cannot be read is left out: it fails who decides on it, and nobody else.
        """
        states: dict[str, Versioned] = {}
        cached: set[str] = set()
        behind: dict[str, Versioned] = {}
        for stream in streams:
            known = self._cache.get(stream)
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
            self._cache.put(stream, versioned)
            self._snapshots.offer(stream, *versioned)

    async def _catch_up(self, behind: Mapping[str, Versioned]) -> dict[str, Versioned]:
        news = await self._store.read_bodies(
            list(behind), [version for version, _ in behind.values()]
        )
        caught_up = dict(behind)
        evolve = self._decider.evolve
        for stream, bodies in news.items():
            state = behind[stream][1]
            try:
                for _, type, data in bodies:
                    state = evolve(state, self._decode(type, data))
            except Exception:
                log.exception("event store: %s cannot be read", stream)
                del caught_up[stream]
            else:
                caught_up[stream] = (bodies[-1][0], state)
        for stream, versioned in caught_up.items():
            self._cache.put(stream, versioned)
        return caught_up
