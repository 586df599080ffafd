"""A unit's timeline shows when nobody could say for sure who had it."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from custody_facts import BOXES, OUT, ROUTE, TPS, VILLAGE, passed, registered, sealed

from services.custody.api import timeline
from shared.contracts.base import Event, canonical
from shared.contracts.custody import UnitFound, UnitMissing, UnitOrphaned, UnitRecovered
from shared.eventstore import Recorded

BOX = BOXES[0]
START = datetime(2024, 2, 10, tzinfo=UTC)
KPPS = f"KPPS-{TPS}"


def at(hours: int) -> datetime:
    return START + timedelta(hours=hours)


def life(*events: tuple[int, Event]) -> list[Recorded]:
    return [_recorded(n, at(hours), event) for n, (hours, event) in enumerate(events, start=1)]


def _recorded(number: int, when: datetime, event: Event) -> Recorded:
    meta = {
        "actor": "person-2",
        "agency": "PPK",
        "causation": None,
        "correlation": None,
        "occurred_at": when,
        "region": event.region,
        "regions": list(event.regions),
        "traceparent": "",
    }
    return Recorded(
        number,
        uuid4(),
        event.stream,
        number,
        event.type,
        event.encode(),
        canonical(meta),
        when,
        uuid4(),
    )


def incident(kind: str, hours: int) -> dict:
    return {"kind": kind, "incident": f"{kind}.{BOX}", "detail": "-", "raised_at": at(hours)}


def gaps(events: list[Recorded], *incidents: dict) -> list[tuple]:
    found = timeline.gaps(events, incidents)
    return [(gap["cause"], gap["from"], gap["until"]) for gap in found]


BEGIN = ((0, registered(BOX)), (0, sealed(BOX)))
LEFT = {"custodian": "KPU-31.71", "was": "loaded"}
LOST = UnitMissing(region=VILLAGE, unit=BOX, consignment=OUT, leg=1, place=ROUTE[1].place, **LEFT)
STRAYED = UnitOrphaned(region=VILLAGE, unit=BOX, place="X", office="KPPS-31.71.01.1001-002", **LEFT)


def test_every_event_says_who_when_and_where() -> None:
    [first, second] = timeline.entries(life(*BEGIN))
    assert (first["type"], second["type"]) == (registered(BOX).type, sealed(BOX).type)
    assert (first["actor"], first["agency"], first["region"]) == ("person-2", "PPK", "31.71")
    assert first["occurred_at"] == at(0)


def test_an_unbroken_chain_has_no_gaps() -> None:
    assert gaps(life(*BEGIN, (5, passed(BOX, 1))), incident("damaged", 5)) == []


def test_a_wrong_seal_makes_the_way_since_the_last_sight_uncertain() -> None:
    events = life(*BEGIN, (5, passed(BOX, 1)), (30, passed(BOX, 2)))
    assert gaps(events, incident("seal-missing", 30)) == [("seal-missing", at(5), at(30))]


def test_a_missing_unit_is_uncertain_until_it_is_found() -> None:
    events = life(*BEGIN, (5, LOST))
    assert gaps(events, incident("count-variance", 5)) == [("count-variance", at(0), None)]
    found = UnitFound(region=VILLAGE, unit=BOX, place=TPS, office=KPPS)
    events = life(*BEGIN, (5, LOST), (9, found))
    assert gaps(events, incident("count-variance", 5)) == [("count-variance", at(0), at(9))]


def test_a_stray_is_uncertain_until_it_is_recovered() -> None:
    back = UnitRecovered(
        region=VILLAGE,
        unit=BOX,
        giver=STRAYED.office,
        receiver=KPPS,
        place=TPS,
        condition="good",
        bast="B",
    )
    events = life(*BEGIN, (5, passed(BOX, 1)), (30, STRAYED), (30, back))
    assert gaps(events, incident("wrong-destination", 30)) == [("wrong-destination", at(5), at(30))]


def test_an_unregistered_place_is_uncertain_until_the_next_hand_over() -> None:
    events = life(*BEGIN, (5, passed(BOX, 1)), (30, passed(BOX, 2)))
    assert gaps(events, incident("unregistered-place", 20)) == [
        ("unregistered-place", at(5), at(30))
    ]
