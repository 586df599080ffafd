"""Documents of a consignment, read from the log: the same events and vault give the same bytes."""

from datetime import UTC
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from services.custody.documents import papers
from shared import vault
from shared.contracts.base import decode
from shared.contracts.custody import ConsignmentDeparted, ConsignmentPlanned
from shared.documents import Source, Template
from shared.documents.api import verify_url
from shared.errors import NotFound
from shared.eventstore import Recorded
from shared.runtime import Service

HERE = Path(__file__).parent
BAST = Template(HERE, "bast")
NOTE = Template(HERE, "note")


@cache
def layout() -> dict[str, Any]:
    """`data/layout.json`, which is there to be edited."""
    return orjson.loads((HERE.parent / "data" / "layout.json").read_bytes())


async def bast(service: Service, consignment: str, leg: int) -> Source:
    """The record of a hand-over that was received."""
    life, planned = await _planned(service, consignment)
    streams = [f"unit-{unit}" for unit in planned.units]
    bodies = await service.store.read_bodies(streams)
    units = [decode(type, data) for name in streams for _, type, data in bodies.get(name, ())]
    found = papers.hand_over([decode(each.type, each.data) for each in life], units, leg)
    if found is None:
        raise NotFound(f"Leg {leg} of {consignment} was not handed over.")
    return Source(
        template=BAST,
        layout=layout()["page"],
        data=papers.bast(found, layout()),
        at=found.received.received_at.astimezone(UTC),
        number=found.received.bast,
        verify_url=verify_url(service),
        people=await vault.people(service.pool, found.people),
    )


async def note(service: Service, consignment: str) -> Source:
    """The consignment note of one that has left: before that its manifest may change."""
    life, planned = await _planned(service, consignment)
    events = [decode(each.type, each.data) for each in life]
    departed = next((each for each in events if isinstance(each, ConsignmentDeparted)), None)
    if departed is None:
        raise NotFound(f"{consignment} has not left.")
    return Source(
        template=NOTE,
        layout=layout()["page"],
        data=papers.note(planned, departed, layout()),
        at=departed.departed_at.astimezone(UTC),
        number=consignment,
        verify_url=verify_url(service),
        people=await vault.people(service.pool, papers.people_of(planned)),
    )


async def _planned(service: Service, consignment: str) -> tuple[list[Recorded], ConsignmentPlanned]:
    life = await service.store.read_stream(f"consignment-{consignment}")
    if not life:
        raise NotFound(f"{consignment} was never planned.")
    planned = decode(life[0].type, life[0].data)
    assert isinstance(planned, ConsignmentPlanned)
    return life, planned
