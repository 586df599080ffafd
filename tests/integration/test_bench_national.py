"""The national run on a nation of two kelurahan: loaded, killed, gone on with, asked."""

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from itertools import chain, islice
from pathlib import Path

import pytest

from deploy.local import ports
from deploy.local.state import State
from services.custody.domain.decider import CustodyDecider
from shared.cli.app import Failure
from shared.contracts.base import decode
from shared.eventstore import EventStore, migrate
from shared.testing.fixtures import PostgresForTests
from shared.testing.process import port_is_free, wait_until
from shared.testing.provision import Database
from tests.bench.national import custody_facts, inventory_facts
from tests.bench.national.counts import Kelurahan
from tests.bench.national.load import Load, Progress
from tests.bench.national.plan import SERVICES, plan
from tests.bench.national.stack import SERVERS, Stack

ROOT = Path(__file__).parent.parent.parent
FILE = """\
kode,desa_kelurahan,tps_reguler,tps_khusus,tps_total
31.71.01.1001,GAMBIR,5,1,6
11.01.01.2001,KEUDE BAKONGAN,7,0,7
"""
NATION = plan(
    [Kelurahan("31.71.01.1001", "GAMBIR", 5, 1), Kelurahan("11.01.01.2001", "K", 7, 0)], 1
)
CUTS = (0, 1, 8, 60, 10_000)
"""How many commands of each service an interrupted load has appended."""


@pytest.fixture
def databases(postgres: PostgresForTests) -> Iterator[dict[str, Database]]:
    made = {service: postgres.create() for service in SERVICES}
    yield made
    for database in made.values():
        postgres.drop(database)


@pytest.fixture
async def stores(databases: dict[str, Database]) -> AsyncIterator[dict[str, EventStore]]:
    async with AsyncExitStack() as opened:
        found = {}
        for service, database in databases.items():
            await migrate(database.owner_dsn, app_role=database.app_role)
            store = await EventStore.open(database.app_dsn, service=service)
            found[service] = await opened.enter_async_context(store)
        yield found


@pytest.mark.parametrize("cut", CUTS)
async def test_a_load_goes_on_where_an_earlier_one_stopped(
    stores: dict[str, EventStore], cut: int
) -> None:
    inventory = chain(
        inventory_facts.shared(NATION), *(inventory_facts.appends(wave) for wave in NATION.waves)
    )
    custody = chain(*(custody_facts.appends(wave) for wave in NATION.waves))
    await stores["inventory"].append_many(list(islice(inventory, cut)))
    await stores["custody"].append_many(list(islice(custody, cut)))
    progress = Progress()
    await Load(NATION, stores, progress).run()
    assert progress.appended == NATION.totals
    for service, store in stores.items():
        assert await store.position() == NATION.totals[service]
    decider, state = CustodyDecider(), None
    stream = "unit-BOX-31.71.01.1001-901-DPRD-PROV"
    for recorded in await stores["custody"].read_stream(stream):
        event = decode(recorded.type, recorded.data)
        state = decider.evolve(state or decider.initial(stream), event)
    assert state is not None and state.custodian == "KPPS-31.71.01.1001-901"


async def test_a_log_of_something_else_is_not_gone_on_with(stores: dict[str, EventStore]) -> None:
    other = plan([Kelurahan("12.01.01.2001", "ELSEWHERE", 3, 0)])
    await Load(other, stores, Progress()).run()
    with pytest.raises(Failure, match="something else than this plan"):
        await Load(NATION, stores, Progress()).run()


def test_a_killed_run_is_finished_by_the_next(tmp_path: Path) -> None:
    file = tmp_path / "tps.csv"
    file.write_text(FILE)
    state = State.at(tmp_path / "state" / "national")
    environment = os.environ | {"KAWAL_PORT_BASE": str(_free_base())}
    command = (
        *(sys.executable, "-m", "shared.cli", "bench-national", str(file)),
        *("--state", str(tmp_path / "state"), "--requests", "20"),
    )
    first = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    try:
        assert wait_until(lambda: state.process("custody-relay") is not None, 60.0)
        first.kill()
        first.wait()
        for name in SERVERS:
            process = state.process(name)
            if process is not None:
                os.kill(process.pid, signal.SIGKILL)
                wait_until(process.gone, 10.0)
        subprocess.run(command, cwd=ROOT, env=environment, check=True, timeout=200)
        assert Stack(state).fallen() == list(SERVERS)
    finally:
        first.kill()
        Stack(state).down(lambda _: None)
    report = json.loads((tmp_path / "state" / "bench" / "national.json").read_text())
    assert report["complete"]
    assert report["plan"]["boxes"] == 6 * 4 + 7 * 5
    assert {name: asked["requests"] for name, asked in report["queries"].items()} == {
        "box by id": 20,
        "boxes of a kelurahan": 20,
    }
    file.write_text(FILE.replace("7,0,7", "8,0,8"))
    other = subprocess.run(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)
    assert other.returncode == 2
    assert "another file or scope" in other.stderr


def _free_base() -> int:
    while True:
        base = random.randrange(10_000, 30_000, 100)
        if all(port_is_free(base + offset) for offset in ports.OFFSETS.values()):
            return base
