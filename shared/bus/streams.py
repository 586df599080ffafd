"""JetStream streams as code: a window of the owner's log, created where the window starts."""

import logging
from dataclasses import dataclass
from uuid import UUID

from nats.js import JetStreamContext, api
from nats.js.errors import NotFoundError

from shared.bus import subjects

log = logging.getLogger(__name__)

WINDOW_BYTES = 1024**3
EVENT_BYTES = 1_024
"""Assumed size of a message with headers when a lost window is filled again."""


@dataclass(frozen=True, slots=True)
class Window:
    """How much of the log a stream keeps; what is older comes from the owner's replay."""

    max_bytes: int = WINDOW_BYTES
    replicas: int = 1

    def start(self, position: int) -> int:
        """The first position of a window that ends at `position`."""
        return max(1, position + 1 - self.max_bytes // EVENT_BYTES)


def config(service: str, cell: str, log_id: UUID, window: Window) -> api.StreamConfig:
    """No limit but bytes, nothing deleted by hand; the log it copies is named in the metadata."""
    return api.StreamConfig(
        name=subjects.stream_name(service, cell),
        description=f"Copy of the {service} log of cell {cell}; sequence = position",
        subjects=[subjects.subjects_of(service)],
        retention=api.RetentionPolicy.LIMITS,
        storage=api.StorageType.FILE,
        discard=api.DiscardPolicy.OLD,
        max_bytes=window.max_bytes,
        num_replicas=window.replicas,
        deny_delete=True,
        deny_purge=True,
        allow_atomic=True,
        allow_direct=True,
        metadata={"log_id": str(log_id), "service": service, "cell": cell},
    )


def log_id_of(info: api.StreamInfo) -> UUID | None:
    """The log that a stream copies."""
    value = (info.config.metadata or {}).get("log_id")
    return UUID(value) if value else None


async def find(js: JetStreamContext, name: str) -> api.StreamInfo | None:
    try:
        return await js.stream_info(name)
    except NotFoundError:
        return None


async def create(js: JetStreamContext, wanted: api.StreamConfig, first: int) -> api.StreamInfo:
    """An empty stream whose first message will have sequence `first`."""
    log.info("creating stream %s from position %d", wanted.name, first)
    return await js.add_stream(wanted, first_seq=first if first > 1 else None)


async def adjust(js: JetStreamContext, info: api.StreamInfo, wanted: api.StreamConfig) -> None:
    """Bring the changeable settings of an existing stream to what the code says."""
    changeable = ("subjects", "max_bytes", "num_replicas", "description")
    if any(getattr(info.config, name) != getattr(wanted, name) for name in changeable):
        log.info("updating stream %s", wanted.name)
        await js.update_stream(wanted, first_seq=info.config.first_seq)


async def replace(
    js: JetStreamContext, seen: api.StreamInfo, wanted: api.StreamConfig, first: int
) -> None:
    """A new stream in place of the one that was `seen`, unless another relay was faster."""
    now = await find(js, wanted.name)
    if now is not None and now.created != seen.created:
        return
    if now is not None:
        await js.delete_stream(wanted.name)
    await create(js, wanted, first)
