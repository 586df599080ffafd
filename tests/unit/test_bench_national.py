"""The plan of the national run, and that what it appends is what the services would have."""

from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from services.custody.domain.decider import CustodyDecider
from services.inventory.domain.decider import InventoryDecider
from shared.cli.app import Failure
from shared.contracts.base import decode
from shared.contracts.inventory import NeedsCalculated, PollingStationRegistered
from shared.eventstore.command import Decider
from shared.eventstore.model import Append
from tests.bench.national import counts, custody_facts, inventory_facts
from tests.bench.national.counts import Kelurahan
from tests.bench.national.plan import RETURNING, SERVICES, Plan, plan

HEAD = "kode,desa_kelurahan,tps_reguler,tps_khusus,tps_total\n"
JAKARTA = Kelurahan("31.71.01.1001", "GAMBIR", 3, 1)
ACEH = Kelurahan("11.01.01.2001", "KEUDE BAKONGAN", 4, 0)
LARGE = Kelurahan("32.01.02.2003", "DESA 'LARGE'", 420, 2)
COUNTRY = [
    *(Kelurahan(f"33.{n:02}.01.2001", f"DESA {n}", 2, 0) for n in range(1, 33)),
    *(JAKARTA, ACEH, LARGE),
]


@pytest.fixture(scope="module")
def country() -> Plan:
    """So many waves that the boxes of one come back."""
    return plan(COUNTRY, wave=1)


def everything(plan: Plan, service: str) -> list[list[Append]]:
    """The appends of each part."""
    facts = inventory_facts if service == "inventory" else custody_facts
    first = list(inventory_facts.shared(plan)) if service == "inventory" else []
    return [first, *(list(facts.appends(wave)) for wave in plan.waves)]


def events(appends: Iterable[Append]) -> int:
    return sum(len(write.events) for append in appends for write in append.writes)


def play(parts: Iterable[Iterable[Append]], decider: Decider) -> dict[str, Any]:
    """The states of all streams, every fact checked against its contract and its version."""
    states: dict[str, tuple[int, Any]] = {}
    for append in (append for part in parts for append in part):
        for write in append.writes:
            version, state = states.get(write.stream, (0, decider.initial(write.stream)))
            assert write.expected == version, write.stream
            for new in write.events:
                event = decode(new.type, new.data)
                assert event.encode() == new.data
                assert (event.stream, event.region, event.regions) == (
                    *(write.stream, new.region, new.regions),
                )
                state = decider.evolve(state, event)
            states[write.stream] = (version + len(write.events), state)
    return {stream: state for stream, (_, state) in states.items()}


def test_every_box_ends_where_its_way_ends_with_an_unbroken_life(country: Plan) -> None:
    states = play(everything(country, "custody"), CustodyDecider())
    units = {stream: state for stream, state in states.items() if stream.startswith("unit-")}
    assert len(units) == country.boxes
    assert {unit.standing for unit in units.values()} == {"delivered"}
    assert all(unit.seal == unit.read and unit.consignment is None for unit in units.values())
    back = {each.code for wave in country.waves if wave.returning for each in wave.kelurahan}
    assert len(back) == len(country.waves) // RETURNING == 1
    for stream, unit in units.items():
        home = stream[len("unit-BOX-") :][:13]
        assert unit.custodian.startswith("KPU-" if home in back else f"KPPS-{home}")


def test_every_station_is_registered_with_its_needs(country: Plan) -> None:
    parts = everything(country, "inventory")
    states = play(parts, InventoryDecider())
    facts = Counter(
        event.type for part in parts for append in part for w in append.writes for event in w.events
    )
    assert len([stream for stream in states if stream.startswith("tps-")]) == country.stations
    assert facts[PollingStationRegistered.type] == country.stations
    assert facts[NeedsCalculated.type] == country.stations


def test_jakarta_has_four_boxes_for_a_station_and_others_five() -> None:
    assert plan([JAKARTA]).boxes == 4 * 4
    assert plan([ACEH]).boxes == 4 * 5


@pytest.mark.parametrize("service", SERVICES)
def test_the_plan_knows_how_many_events_every_part_has(country: Plan, service: str) -> None:
    parts = everything(country, service)
    ends = [sum(map(events, parts[: number + 1])) for number in range(len(parts))]
    assert ends == country.ends(service)


def test_the_length_of_a_log_tells_the_part_of_its_last_event(country: Plan) -> None:
    ends = country.ends("custody")
    assert country.place("custody", 0) == (0, 0)
    assert country.place("custody", 1) == (1, 0)
    assert country.place("custody", ends[1]) == (1, 0)
    assert country.place("custody", ends[1] + 1) == (2, ends[1])
    assert country.place("custody", ends[-1]) == (len(ends) - 1, ends[-2])


def test_the_same_commands_have_the_same_ids_and_no_two_share_one(country: Plan) -> None:
    for service in SERVICES:
        once, again = (
            [append.command_id for part in everything(country, service) for append in part]
            for _ in range(2)
        )
        assert once == again
        assert len(set(once)) == len(once)


def test_another_file_is_another_plan() -> None:
    assert plan([JAKARTA, ACEH]).identity == plan([ACEH, JAKARTA]).identity
    assert plan([JAKARTA]).identity != plan([ACEH]).identity


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        path = tmp_path / "tps.csv"
        path.write_text(text)
        return path

    return write


def test_the_file_is_read(file: Callable[[str], Path]) -> None:
    rows = counts.read(file(f"{HEAD}31.71.01.1001,GAMBIR,3,1,4\n"))
    assert rows == [JAKARTA]
    assert rows[0].numbers == [1, 2, 3, 901]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("kode,desa_kelurahan\n", "row 1 has no column tps_reguler"),
        (HEAD, "row 2, column kode"),
        (f"{HEAD}31.71.01,GAMBIR,3,1,4\n", "row 2, column kode"),
        (f"{HEAD}31.71.01.1001,,3,1,4\n", "row 2, column desa_kelurahan"),
        (f"{HEAD}31.71.01.1001,GAMBIR,3,x,4\n", "row 2, column tps_khusus"),
        (f"{HEAD}31.71.01.1001,GAMBIR,3,1\n", "row 2, column tps_total"),
        (f"{HEAD}31.71.01.1001,GAMBIR,3,1,5\n", "row 2, column tps_total"),
        (f"{HEAD}31.71.01.1001,GAMBIR,3,1,4\n31.71.01.1001,X,1,0,1\n", "row 3, column kode"),
    ],
)
def test_a_wrong_file_is_refused_by_row_and_column(
    file: Callable[[str], Path], text: str, named: str
) -> None:
    with pytest.raises(Failure, match=named):
        counts.read(file(text))
