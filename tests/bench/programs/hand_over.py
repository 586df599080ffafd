"""`hand_over DSN SECONDS [COLD]`: a truck of 400 units changes hands, one command after another.

Consignments of 400 sealed units are registered, planned, sent off and given outside the timing;
what is timed is `receive-hand-over` alone: 401 streams, all or none. With COLD the handler keeps no
states, so that every command reads its 401 streams first.
"""

import sys
from datetime import UTC, datetime
from time import perf_counter

import uvloop

from services.custody.domain.decider import CustodyDecider
from services.custody.domain.facts import Facts
from services.custody.domain.handovers import GiveHandOver, ReceiveHandOver
from services.custody.domain.planning import DepartConsignment, PlanConsignment
from services.custody.domain.registering import RegisterUnits
from services.custody.domain.seals import LogSealRoll
from shared import memory
from shared.contracts.custody import UnitState
from shared.eventstore import Appended, Command, CommandHandler, Context, EventStore, Request, uuid7
from shared.eventstore.cache import StateCache
from tests.bench.load import percentiles, say

UNITS = 400
LEGS = 6
NOW = datetime(2024, 2, 10, 2, tzinfo=UTC)
REGION = "31.71"
PLACES = {f"GUDANG-31.71-{n:02}": REGION for n in range(LEGS + 1)}
ROUTE = [
    {"place": place, "office": f"{'KPU' if n % 2 else 'PPK'}-31.71", "region": REGION}
    for n, place in enumerate(PLACES)
]
RELEASE = (datetime(2024, 2, 9, 22, tzinfo=UTC), datetime(2024, 2, 14, tzinfo=UTC))
MANIFEST = {
    "vehicle": "Truk boks",
    "plate": "B 9001 KPU",
    "driver": "person-1",
    "koli": UNITS,
    "sheets": 120_000,
    "weight_kg": 4_800,
}


class Field:
    """Gives commands as the offices of a route."""

    def __init__(self, store: EventStore, cache: StateCache) -> None:
        self._handler = CommandHandler(store, CustodyDecider(), cache)

    async def give(self, command: Command, agency: str) -> Appended:
        person = f"person-{agency}"
        context = Context(
            NOW, person, agency, frozenset({"*"}), frozenset({"31"}), Facts(PLACES, {})
        )
        return await self._handler.handle(Request(command, uuid7(), bytes(32), context))

    async def load(self) -> tuple[str, list[dict[str, object]]]:
        """A consignment that has departed, and how its units are."""
        name = str(uuid7())
        found = [{"unit": f"KOLI-{name}-{n:03}", "seal": f"{name}A{n:03}"} for n in range(UNITS)]
        origin = ROUTE[0]
        new = [
            {**one, "unit_kind": "koli", "contents": "logistics", "home": REGION} for one in found
        ]
        await self.give(LogSealRoll(roll=f"{name}A", first=0, last=999, region=REGION), "KPU")
        await self.give(
            RegisterUnits(
                units=new, place=origin["place"], custodian=origin["office"], region=REGION
            ),
            "PPK",
        )
        await self.give(
            PlanConsignment(
                consignment=name,
                direction="outbound",
                region=REGION,
                route=ROUTE,
                units=[one["unit"] for one in found],
                release_from=RELEASE[0],
                release_until=RELEASE[1],
                manifest=MANIFEST,
            ),
            "PPK",
        )
        await self.give(DepartConsignment(consignment=name), "PPK")
        return name, found

    async def hand_over(self, name: str, leg: int, found: list[dict[str, object]]) -> float:
        """Seconds that the receiver waited."""
        giver, receiver = (ROUTE[at]["office"].partition("-")[0] for at in (leg - 1, leg))
        await self.give(GiveHandOver(consignment=name, leg=leg, units=found), giver)
        states = tuple(UnitState(**one) for one in found)
        began = perf_counter()
        command = ReceiveHandOver(
            consignment=name, leg=leg, units=states, attended_by=("BAWASLU",), occurred_at=NOW
        )
        done = await self.give(command, receiver)
        took = perf_counter() - began
        if done.last - done.first != UNITS:
            raise SystemExit(f"{done.last - done.first + 1} events instead of {UNITS + 1}")
        return took


async def main(dsn: str, seconds: float, cold: bool) -> None:
    async with await EventStore.open(dsn, service="custody") as store:
        field = Field(store, StateCache(0) if cold else StateCache())
        memory.settle()
        await field.hand_over(*_first(await field.load()))
        took: list[float] = []
        while sum(took) < seconds / 2:
            name, found = await field.load()
            took += [await field.hand_over(name, leg, found) for leg in range(1, LEGS + 1)]
    say({"rate": len(took) * (UNITS + 1) / sum(took), **percentiles(took)})


def _first(loaded: tuple[str, list[dict[str, object]]]) -> tuple[str, int, list[dict[str, object]]]:
    return loaded[0], 1, loaded[1]


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], float(sys.argv[2]), "COLD" in sys.argv[3:]))
