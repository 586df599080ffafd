"""Snapshots: where a stream is long, its state is read from a recent version on."""

import asyncio
import logging
from collections.abc import Iterable
from typing import Any, Protocol

from shared.eventstore.store import EventStore

log = logging.getLogger(__name__)


class Snapshots(Protocol):
    """Which streams a service takes snapshots of, and how.

    Change `schema` whenever the form of the state changes: older snapshots are then passed over.
    """

    schema: str
    every: int
    """Events between two snapshots."""

    def covers(self, stream: str) -> bool:
        """Whether the stream is one of the long ones."""

    def dump(self, state: Any) -> bytes:
        """A state's bytes."""

    def load(self, stream: str, data: bytes) -> Any:
        """The state again."""


class SnapshotKeeper:
    """Reads snapshots before the events are read, and takes new ones in the background."""

    def __init__(self, store: EventStore, snapshots: Snapshots | None) -> None:
        self._store = store
        self._snapshots = snapshots
        self._kept: dict[str, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def read(self, streams: Iterable[str]) -> dict[str, tuple[int, Any]]:
        """Version and state of those streams that have a snapshot of the present schema."""
        how = self._snapshots
        if how is None:
            return {}
        long = [stream for stream in streams if how.covers(stream)]
        found = await self._store.read_snapshots(long) if long else {}
        return {
            stream: (snapshot.version, how.load(stream, snapshot.data))
            for stream, snapshot in found.items()
            if snapshot.schema == how.schema
        }

    def offer(self, stream: str, version: int, state: Any) -> None:
        """Take a snapshot of a committed state if one is due."""
        how = self._snapshots
        if how is None or not how.covers(stream):
            return
        if version - self._kept.get(stream, 0) >= how.every:
            self._kept[stream] = version
            task = asyncio.create_task(self._save(stream, version, how.schema, how.dump(state)))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _save(self, stream: str, version: int, schema: str, data: bytes) -> None:
        try:
            await self._store.save_snapshot(stream, version, schema, data)
        except Exception:
            log.exception("event store: a snapshot could not be saved")
