"""Documents of inventory, read from the log: the same events give the same bytes."""

from collections.abc import Sequence
from datetime import UTC
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from services.inventory.documents.destruction import Destruction, record
from shared.contracts.base import decode
from shared.contracts.inventory import ItemDefined, SiteProposed, StockDestroyed
from shared.documents import Source, Template
from shared.documents.api import verify_url
from shared.eventstore import Recorded
from shared.runtime import Service

HERE = Path(__file__).parent
DESTRUCTION = Template(HERE, "destruction")


@cache
def layout() -> dict[str, Any]:
    """`data/layout.json`, which is there to be edited."""
    return orjson.loads((HERE.parent / "data" / "layout.json").read_bytes())


async def destruction(service: Service, positions: Sequence[int]) -> Source:
    """The record of the destructions at these positions of the log, which bear one number."""
    recorded = [each for at in positions for each in await service.store.read_all(at - 1, 1)]
    destroyed = [decode(each.type, each.data) for each in recorded]
    first = destroyed[0]
    assert isinstance(first, StockDestroyed)
    found = Destruction(
        site=await _site(service, first.site),
        at=recorded[0].metadata.occurred_at.astimezone(UTC),
        destroyed=destroyed,  # type: ignore[arg-type]
        items=await _catalogue(service, recorded[0].position),
    )
    return Source(
        template=DESTRUCTION,
        layout=layout()["page"],
        data=record(found, layout()),
        at=found.at,
        number=first.record_number,
        verify_url=verify_url(service),
    )


async def _site(service: Service, site: str) -> SiteProposed:
    [proposed] = await service.store.read_stream(f"site-{site}", limit=1)
    event = decode(proposed.type, proposed.data)
    assert isinstance(event, SiteProposed)
    return event


async def _catalogue(service: Service, upto: int) -> dict[str, ItemDefined]:
    life: Sequence[Recorded] = await service.store.read_stream("catalogue")
    events = [decode(each.type, each.data) for each in life if each.position <= upto]
    return {event.item: event for event in events if isinstance(event, ItemDefined)}
