"""Boxes by who holds them: every box is counted once, wherever it goes."""

from collections import Counter

import pytest

from services.console.projections.figures import HELD, Fold, city_of, fold_units, unit_fact
from shared.bus.message import Message
from shared.bus.subjects import subject
from shared.contracts.base import Event
from shared.contracts.custody import (
    UnitFound,
    UnitHandedOver,
    UnitMissing,
    UnitOrphaned,
    UnitRecovered,
    UnitRegistered,
    UnitVoided,
)

BOX = "BOX-31.71.01.1001-001-DPR"
CITY, VILLAGE = "31.71", "31.71.01.1001"
REGISTERED = UnitRegistered(
    region=CITY,
    unit=BOX,
    unit_kind="box",
    contents="DPR",
    home=VILLAGE,
    place="GUDANG-31.71",
    custodian="KPU-31.71",
)
TO_PPK = UnitHandedOver(
    region="31.71.01",
    unit=BOX,
    consignment="OUT-1",
    leg=1,
    giver="KPU-31.71",
    receiver="PPK-31.71.01",
    place="PPK-31.71.01",
    condition="good",
    bast="BAST-1",
    final=False,
)
FROM_PPK = {"region": VILLAGE, "unit": BOX, "custodian": "PPK-31.71.01", "was": "in-transit"}
STRAYED = UnitOrphaned(place="X", office="KPPS-31.71.01.1001-002", **FROM_PPK)
LOST = UnitMissing(consignment="OUT-1", leg=2, place="X", **FROM_PPK)
FOUND = UnitFound(region=VILLAGE, unit=BOX, place="X", office="PPS-31.71.01.1001")
RECOVERED = UnitRecovered(
    region=VILLAGE,
    unit=BOX,
    giver="KPPS-31.71.01.1001-002",
    receiver="PPS-31.71.01.1001",
    place="X",
    condition="good",
    bast="BAST-2",
)
VOIDED = UnitVoided(reason="Basah", **(FROM_PPK | {"was": "missing"}))


def message(event: Event) -> Message:
    address = subject(event.service, event.region, event.kind, event.fact)
    return Message(1, address, event.encode(), f"ce-type: {event.type}\r\n".encode())


def held(*events: Event) -> Counter[str]:
    fold = Fold()
    fold_units(fold, [(message(e), unit_fact.decode(e.encode())) for e in events])
    total: Counter[str] = Counter()
    for (metric, state, region), n in fold.counts.items():
        assert (metric, region) == (HELD, CITY)
        total[state] += n
    return +total


@pytest.mark.parametrize(
    ("events", "state"),
    [
        ((REGISTERED,), "KPU"),
        ((REGISTERED, TO_PPK), "PPK"),
        ((REGISTERED, TO_PPK, STRAYED), "astray"),
        ((REGISTERED, TO_PPK, STRAYED, RECOVERED), "PPS"),
        ((REGISTERED, TO_PPK, LOST), "missing"),
        ((REGISTERED, TO_PPK, LOST, FOUND), "astray"),
        ((REGISTERED, TO_PPK, LOST, FOUND, RECOVERED), "PPS"),
        ((REGISTERED, TO_PPK, LOST, VOIDED), "voided"),
    ],
)
def test_a_box_is_counted_where_it_is_and_nowhere_else(events, state):
    assert held(*events) == {state: 1}


def test_a_figure_belongs_to_the_city_where_the_fact_happened():
    assert city_of(message(REGISTERED).subject) == "31.71"
    assert city_of("kawal.custody.31._._._.unit.registered") == "31"
