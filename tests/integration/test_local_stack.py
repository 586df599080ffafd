"""The local stack's supervisor: real Postgres, NATS and issuer; stand-ins for the services."""

import asyncio
import json
import os
import random
import signal
import socket
import stat
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest
import stand_in
from joserfc import jwt
from joserfc.jwk import KeySet

from deploy.local import ports
from deploy.local.program import ROOT, SERVERS, SERVICES
from deploy.local.state import State
from deploy.local.supervisor import Supervisor
from deploy.local.tokens import for_stack
from shared.cli.app import Failure
from shared.testing.process import LOOPBACK, ProcessId, free_port


@pytest.fixture(scope="module", autouse=True)
def ports_of_our_own() -> Iterator[None]:
    """A run beside a real stack, or beside another run of these tests, is in nobody's way."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ports, "BASE", random.randrange(10_000, 30_000, 200))
        yield


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return stand_in.write(tmp_path_factory.mktemp("root"))


@pytest.fixture(scope="module")
def supervisor(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Supervisor]:
    """A running stack, whose state is in a folder that only its owner may enter."""
    closed = tmp_path_factory.mktemp("closed")
    closed.chmod(0o700)
    made = Supervisor(State.at(closed / "state"), root)
    made.up(_quiet)
    yield made
    made.down(_quiet)


def _quiet(_: str) -> None:
    pass


def _pids(supervisor: Supervisor) -> dict[str, int | None]:
    return {row.name: row.pid for row in supervisor.status()}


def test_everything_is_ready_after_up(supervisor: Supervisor) -> None:
    assert {row.name: row.state for row in supervisor.status()} == dict.fromkeys(SERVERS, "ready")


def test_each_service_is_a_process_under_its_own_name(supervisor: Supervisor) -> None:
    pids = _pids(supervisor)
    for name in SERVICES:
        assert f"-m services.{name}" in " ".join(psutil.Process(pids[name]).cmdline())


def test_a_second_up_starts_nothing(supervisor: Supervisor) -> None:
    before, said = _pids(supervisor), []
    supervisor.up(said.append)
    assert said == [] and _pids(supervisor) == before


@pytest.mark.parametrize("killed", SERVERS)
def test_after_a_kill_up_starts_only_what_is_missing(supervisor: Supervisor, killed: str) -> None:
    before, said = _pids(supervisor), []
    process = supervisor.state.process(killed)
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    while process.alive():
        pass
    supervisor.up(said.append)
    after = _pids(supervisor)
    assert said == [f"starting {killed}"]
    assert [name for name in SERVERS if before[name] != after[name]] == [killed]


def test_every_port_is_on_loopback(supervisor: Supervisor) -> None:
    pids = set(_pids(supervisor).values())
    listening = {
        connection.laddr.ip
        for connection in psutil.net_connections("inet")
        if connection.pid in pids and connection.status == psutil.CONN_LISTEN
    }
    assert listening == {LOOPBACK}


def test_secrets_are_their_owners_alone(supervisor: Supervisor) -> None:
    folder = supervisor.state.folder
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for name in ("passwords.json", "issuer/key.json", "nats/nats.conf"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600, name


def test_a_services_role_reaches_its_own_database_only(supervisor: Supervisor) -> None:
    port = supervisor.state.read("ports.json")["postgres"]
    password = supervisor.state.read("passwords.json")["postgres/custody_app"]

    async def reach(database: str) -> None:
        dsn = f"postgresql://custody_app:{password}@{LOOPBACK}:{port}/{database}"
        connection = await asyncpg.connect(dsn)
        await connection.close()

    asyncio.run(reach("custody"))
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        asyncio.run(reach("inventory"))


def test_a_token_is_verified_by_the_issuers_published_key(supervisor: Supervisor) -> None:
    base = f"http://{LOOPBACK}:{supervisor.state.read('ports.json')['issuer']}"
    configuration = _get(f"{base}/.well-known/openid-configuration")
    keys = KeySet.import_key_set(_get(configuration["jwks_uri"]))
    sign = for_stack(supervisor.state)
    token = sign(person="p-1", agency="KPU", roles=["operator"], regions=["31.71", "31.72"])
    claims = jwt.decode(token, keys, algorithms=["ES256"]).claims
    assert claims["iss"] == configuration["issuer"] == base and claims["aud"] == "kawal"
    assert (claims["sub"], claims["agency"]) == ("p-1", "KPU")
    assert (claims["roles"], claims["regions"]) == (["operator"], ["31.71", "31.72"])
    assert claims["exp"] - claims["iat"] == 3600
    assert "d" not in _get(configuration["jwks_uri"])["keys"][0]


def _get(url: str) -> dict:
    with urllib.request.urlopen(url, timeout=5) as answer:
        return json.load(answer)


def test_a_second_stack_takes_other_ports_and_stops_alone(
    supervisor: Supervisor, root: Path, tmp_path: Path
) -> None:
    second = Supervisor(State.at(tmp_path / "other"), root)
    before = _pids(supervisor)
    second.up(_quiet)
    try:
        assert {row.state for row in second.status()} == {"ready"}
        first_ports = set(supervisor.state.read("ports.json").values())
        assert first_ports.isdisjoint(second.state.read("ports.json").values())
    finally:
        second.down(_quiet)
    assert {row.state for row in second.status()} == {"stopped"}
    assert _pids(supervisor) == before


def test_a_port_in_use_is_named_and_nothing_is_started(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind((LOOPBACK, 0))
        taken.listen()
        port = taken.getsockname()[1]
        environment = os.environ | {"KAWAL_PORT_CUSTODY": str(port)}
        command = (sys.executable, "-m", "shared.cli", "up", "--state", str(tmp_path / "state"))
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
    assert done.returncode == 2
    assert done.stderr.startswith(f"kawal: port {port} (custody) is in use")
    assert done.stderr.count("\n") == 1
    assert {row.state for row in Supervisor(State.at(tmp_path / "state")).status()} == {"stopped"}


def test_every_port_can_be_chosen() -> None:
    chosen = {f"KAWAL_PORT_{name.upper()}": str(free_port()) for name in ports.OFFSETS}
    assert ports.choose(chosen) == {
        name: int(chosen[f"KAWAL_PORT_{name.upper()}"]) for name in ports.OFFSETS
    }
    with pytest.raises(Failure, match="not a port"):
        ports.choose({"KAWAL_PORT_NATS": "nats"})
    with pytest.raises(Failure, match="given to nats and postgres"):
        ports.choose({"KAWAL_PORT_NATS": "9000", "KAWAL_PORT_POSTGRES": "9000"})


def test_down_leaves_a_reused_pid_alone(root: Path, tmp_path: Path) -> None:
    supervisor = Supervisor(State.at(tmp_path / "state"), root)
    stranger = subprocess.Popen(("sleep", "60"))
    try:
        supervisor.state.started("custody", ProcessId(stranger.pid, "another boot:1"))
        supervisor.down(_quiet)
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_service_that_ends_at_once_is_named_with_its_last_words(
    root: Path, tmp_path: Path
) -> None:
    broken = stand_in.write(tmp_path / "root")
    main = broken / "services" / "exchange" / "__main__.py"
    main.write_text("raise SystemExit('no letters today')")
    supervisor = Supervisor(State.at(tmp_path / "state"), broken)
    try:
        with pytest.raises(Failure, match=r"exchange ends as soon as .* no letters today"):
            supervisor.up(_quiet)
    finally:
        supervisor.down(_quiet)
    assert set(SERVICES) <= {row.name for row in supervisor.status() if row.state == "stopped"}
