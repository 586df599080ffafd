"""What inventory would have recorded: rules, catalogue, regions, polling stations with needs.

No kit is packed and no site proposed: custody would register the boxes of a kit by itself, and
they are in the plan already. The electoral districts outside Jakarta are made up.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

from services.inventory.domain.needs import ballots_for
from services.inventory.domain.regions import LEVELS
from services.inventory.imports import geography, reference
from services.simulator import calendar
from shared.contracts import inventory
from shared.contracts.base import Event, canonical
from shared.eventstore.model import Append, Write
from tests.bench.national.appends import append, event
from tests.bench.national.counts import FIRST_SPECIAL, Kelurahan
from tests.bench.national.plan import JAKARTA, KINDS, Plan, Wave, kinds_of

COUNTRY = "00"
ACTOR = ("person-kpu-ri", "KPU")
AT = calendar.PREPARATION
FEWEST_VOTERS, SPREAD = 200, 100

RULES = inventory.RulesSet(
    region=COUNTRY,
    reserve_permille=20,
    rounding="up",
    revote_ballots=1000,
    ballot_kinds=KINDS,
    max_voters=300,
)


def shared(plan: Plan) -> Iterator[Append]:
    """What the whole country has in common: rules, catalogue, provinces, cities."""
    yield _append("rules", 0, RULES)
    for version, item in enumerate(_items()):
        yield _append(f"item {item.item}", version, item)
    for code in (*plan.provinces, *plan.cities):
        yield _region(code, geography.name_of(code) or code)


def appends(wave: Wave) -> Iterator[Append]:
    for code in wave.kecamatan:
        yield _region(code, geography.name_of(code) or code)
    for each in wave.kelurahan:
        yield _region(each.code, each.name)
        yield from _stations(each)


def _items() -> Iterable[inventory.ItemDefined]:
    for each in reference.catalogue(COUNTRY):
        yield inventory.ItemDefined(
            region=COUNTRY,
            item=each.item,
            name=each.item_name,
            item_class=each.item_class,
            unit=each.unit,
            per_tps=each.per_tps,
        )


@lru_cache(maxsize=1)
def _pieces() -> dict[str, int]:
    return {item.item: item.per_tps for item in _items() if item.per_tps}


def _region(code: str, name: str) -> Append:
    registered = inventory.RegionRegistered(
        region=code, name=name, level=LEVELS[code.count(".")], dapil=_dapil(code)
    )
    return _append(f"region {code}", 0, registered)


def _dapil(code: str) -> dict[str, str]:
    if code.startswith(JAKARTA):
        return reference.dapil(code)
    province = {"PPWP": "RI", "DPD": f"RI-{code[:2]}", "DPR": f"RI-{code[:2]}-1"}
    if len(code) == 2:
        return province
    return province | {"DPRD_PROV": f"{code[:2]}-{code[3:5]}", "DPRD_KAB": f"{code[:5]}-1"}


def _stations(kelurahan: Kelurahan) -> Iterator[Append]:
    """Each station with its needs: what one command records, in one stream."""
    code, dapil = kelurahan.code, _dapil(kelurahan.code)
    kinds = kinds_of(code)
    for number in kelurahan.numbers:
        voters = FEWEST_VOTERS + number % SPREAD
        tps = f"{code}-{number:03}"
        registered: dict[str, Any] = {
            "region": code,
            "tps": tps,
            "number": number,
            "voters": voters,
            "special": number >= FIRST_SPECIAL,
            "source": "imported",
        }
        needs: dict[str, Any] = {
            "region": code,
            "tps": tps,
            "voters": voters,
            "ballots": dict.fromkeys(kinds, ballots_for(voters, RULES)),
            "dapil": {kind: dapil[kind] for kind in kinds},
            "items": _pieces(),
        }
        facts = (
            event(inventory.PollingStationRegistered.type, canonical(registered), code),
            event(inventory.NeedsCalculated.type, canonical(needs), code),
        )
        yield append(f"station {tps}", ACTOR, AT, (Write(f"tps-{tps}", 0, facts),))


def _append(name: str, version: int, fact: Event) -> Append:
    new = event(fact.type, fact.encode(), fact.region, fact.regions)
    return append(name, ACTOR, AT, (Write(fact.stream, version, (new,)),))
