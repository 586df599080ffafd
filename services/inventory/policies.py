"""Others' facts become our commands: what custody reports damaged is to be replaced."""

from collections.abc import Sequence
from typing import ClassVar

import asyncpg
import orjson

from services.inventory.domain.replacements import RequestReplacement
from shared.bus.message import Message
from shared.contracts.custody import IncidentRaised
from shared.eventstore import Command
from shared.projection import Intent, Policy


class ReplaceDamaged(Policy):
    """A unit that an incident of custody names as damaged needs a replacement."""

    name: ClassVar[str] = "replace-damaged"
    sources: ClassVar[tuple[str, ...]] = ("custody",)
    handles: ClassVar[frozenset[str]] = frozenset({IncidentRaised.type})
    issues: ClassVar[tuple[type[Command], ...]] = (RequestReplacement,)

    async def react(self, connection: asyncpg.Connection, message: Message) -> Sequence[Intent]:
        incident = orjson.loads(message.data)
        if incident["incident_kind"] != "damaged" or not incident.get("unit"):
            return ()
        request = RequestReplacement(
            region=incident["region"],
            replacement=f"R-{incident['unit']}"[:80],
            subject=incident["unit"],
            cause=incident["incident"],
        )
        return (Intent(request),)
