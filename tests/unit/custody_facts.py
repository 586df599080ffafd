"""Facts and commands of a polling station's four boxes, for the tests of custody's rules."""

from datetime import UTC, datetime
from typing import Any

from services.custody.domain.decider import CustodyDecider
from services.custody.domain.facts import Facts, Stop
from services.custody.domain.handovers import GiveHandOver, ReceiveHandOver
from services.custody.domain.planning import PlanConsignment
from shared.contracts.base import Event
from shared.contracts.custody import (
    ConsignmentDeparted,
    ConsignmentPlanned,
    HandOverGiven,
    HandOverReceived,
    Manifest,
    Node,
    SealRollLogged,
    UnitHandedOver,
    UnitLoaded,
    UnitRegistered,
    UnitSealed,
)
from shared.eventstore.command import Command, Context
from shared.testing.scenario import Outcome, Scenario, given

DECIDER = CustodyDecider()

VILLAGE, DISTRICT, CITY = "31.71.01.1001", "31.71.01", "31.71"
TPS = "31.71.01.1001-001"
OTHER_TPS = "31.71.01.1001-002"
ROUTE = (
    Stop("GUDANG-31.71", "KPU-31.71", CITY),
    Stop("PPK-31.71.01", "PPK-31.71.01", DISTRICT),
    Stop("PPS-31.71.01.1001", "PPS-31.71.01.1001", VILLAGE),
    Stop(TPS, f"KPPS-{TPS}", VILLAGE),
)
REGIONS = (CITY, DISTRICT, VILLAGE)
BOXES = tuple(f"BOX-{TPS}-{kind}" for kind in ("PPWP", "DPR", "DPD", "DPRD-PROV"))
OUT = f"OUT-{TPS}"
ROLL = "3171011001A"
SEALS = dict(zip(BOXES, (f"{ROLL}{n:03d}" for n in range(4)), strict=True))

OPENS = datetime(2024, 2, 9, 22, tzinfo=UTC)
CLOSES = datetime(2024, 2, 14, 0, tzinfo=UTC)
MORNING = datetime(2024, 2, 10, 2, tzinfo=UTC)
"""09:00 in Jakarta, within the window and the hours."""

MANIFEST = Manifest(
    vehicle="Truk boks", plate="B 9001 KPU", driver="person-1", koli=4, sheets=1200, weight_kg=48
)


def acting(
    agency: str, *regions: str, now: datetime = MORNING, places: tuple[str, ...] = ()
) -> Context:
    """A person of this agency who may do everything there, by default in the whole province."""
    known = {stop.place: stop.region for stop in ROUTE} | dict.fromkeys(
        (OTHER_TPS, *places), VILLAGE
    )
    facts = Facts(known, {OUT: ROUTE})
    return Context(
        now, f"person-{agency}", agency, frozenset({"*"}), frozenset(regions or {"31"}), facts
    )


def registered(unit: str, **fields: Any) -> UnitRegistered:
    values = {
        "region": CITY,
        "unit_kind": "box",
        "contents": "PPWP",
        "home": VILLAGE,
        "tps": TPS,
        "place": ROUTE[0].place,
        "custodian": ROUTE[0].office,
    }
    return UnitRegistered(unit=unit, **{**values, **fields})


def sealed(unit: str, seal: str | None = None, **fields: Any) -> UnitSealed:
    values = {"region": CITY, "place": ROUTE[0].place}
    return UnitSealed(unit=unit, seal=seal or SEALS[unit], **{**values, **fields})


def loaded(unit: str, consignment: str = OUT) -> UnitLoaded:
    return UnitLoaded(region=CITY, unit=unit, consignment=consignment)


def logged(first: int = 0, last: int = 999, roll: str = ROLL) -> SealRollLogged:
    return SealRollLogged(region=VILLAGE, roll=roll, first=first, last=last)


def planned(**fields: Any) -> ConsignmentPlanned:
    values: dict[str, Any] = {
        "region": VILLAGE,
        "consignment": OUT,
        "tps": TPS,
        "route_regions": REGIONS,
        "direction": "outbound",
        "route": tuple(Node(**stop._asdict()) for stop in ROUTE),
        "units": BOXES,
        "release_from": OPENS,
        "release_until": CLOSES,
        "manifest": MANIFEST,
    }
    return ConsignmentPlanned(**{**values, **fields})


def departed(consignment: str = OUT) -> ConsignmentDeparted:
    return ConsignmentDeparted(
        region=CITY,
        consignment=consignment,
        tps=TPS,
        route_regions=REGIONS,
        place=ROUTE[0].place,
        departed_at=MORNING,
        units=len(BOXES),
    )


def _leg(leg: int) -> dict[str, Any]:
    stop = ROUTE[leg]
    return {
        "region": stop.region,
        "consignment": OUT,
        "leg": leg,
        "giver": ROUTE[leg - 1].office,
        "receiver": stop.office,
        "place": stop.place,
    }


def handed(leg: int, units: int = len(BOXES)) -> HandOverGiven:
    giver = f"person-{ROUTE[leg - 1].office.partition('-')[0]}"
    return HandOverGiven(**_leg(leg), tps=TPS, route_regions=REGIONS, given_by=giver, units=units)


def received(leg: int, **fields: Any) -> HandOverReceived:
    values = {
        **_leg(leg),
        "tps": TPS,
        "route_regions": REGIONS,
        "received_by": f"person-{ROUTE[leg].office.partition('-')[0]}",
        "bast": f"BAST/{OUT}/{leg}",
        "given": len(BOXES),
        "received": len(BOXES),
        "missing": (),
        "attended_by": ("BAWASLU",),
        "received_at": MORNING,
        "final": leg == len(ROUTE) - 1,
    }
    return HandOverReceived(**{**values, **fields})


def passed(unit: str, leg: int, **fields: Any) -> UnitHandedOver:
    values = {
        **_leg(leg),
        "seal": SEALS[unit],
        "condition": "good",
        "bast": f"BAST/{OUT}/{leg}",
        "final": leg == len(ROUTE) - 1,
    }
    return UnitHandedOver(unit=unit, **{**values, **fields})


def in_store() -> list[Event]:
    """The four boxes, registered and sealed at the city's warehouse."""
    return [logged(), *(each for box in BOXES for each in (registered(box), sealed(box)))]


def on_the_road(leg: int = 0) -> list[Event]:
    """The consignment has departed; `leg` legs are behind it."""
    past = [*in_store(), planned(), *map(loaded, BOXES), departed()]
    for number in range(1, leg + 1):
        past += [handed(number), received(number), *(passed(box, number) for box in BOXES)]
    return past


def at_gate(leg: int = 1) -> Scenario:
    """The giver of this leg has confirmed all four boxes."""
    return after(*on_the_road(leg - 1), handed(leg))


def after(*past: Event) -> Scenario:
    return given(*past, by=DECIDER)


def state(unit: str, **fields: Any) -> dict[str, Any]:
    return {"unit": unit, "seal": SEALS[unit], **fields}


def give(leg: int = 1, units: tuple[str, ...] = BOXES, **fields: Any) -> GiveHandOver:
    return GiveHandOver(
        consignment=OUT, leg=leg, units=tuple(state(unit) for unit in units), **fields
    )


def receive(leg: int = 1, units: Any = None, **fields: Any) -> ReceiveHandOver:
    values = {"attended_by": ("BAWASLU",), "occurred_at": MORNING}
    return ReceiveHandOver(
        consignment=OUT,
        leg=leg,
        units=tuple(state(unit) for unit in BOXES) if units is None else units,
        **{**values, **fields},
    )


def plan(**fields: Any) -> PlanConsignment:
    values: dict[str, Any] = {
        "consignment": OUT,
        "tps": TPS,
        "direction": "outbound",
        "region": VILLAGE,
        "route": tuple(stop._asdict() for stop in ROUTE),
        "units": BOXES,
        "release_from": OPENS,
        "release_until": CLOSES,
        "manifest": MANIFEST.model_dump(),
    }
    return PlanConsignment(**{**values, **fields})


def kinds(outcome: Outcome) -> list[tuple[str, str | None]]:
    """(kind, subject) of the incidents among the events."""
    assert outcome.refusal is None, outcome.refusal
    return [
        (event.incident_kind, event.unit or event.tps)
        for event in outcome.events
        if hasattr(event, "incident_kind")
    ]


def regions_needed(scenario: Scenario, command: Command) -> list[str]:
    states = {stream: scenario.state(stream) for stream in command.streams()}
    return list(DECIDER.regions(command, states))
