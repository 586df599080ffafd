"""The environment of the bench's peers: pinned, made anew when a lock changes, absent with why."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.bench.peers import environment
from tests.bench.peers.environment import HERE, Peers
from tests.bench.row import NotRun


def test_every_package_of_the_peers_is_pinned_by_hash():
    requirements = re.split(r"\n(?=\S)", (HERE / "requirements.txt").read_text().strip())
    assert all("==" in one and "--hash=sha256:" in one for one in requirements)
    packages = json.loads((HERE / "package-lock.json").read_text())["packages"]
    assert all("integrity" in one for name, one in packages.items() if name)


def test_the_locks_name_no_place_to_download_from():
    assert "://" not in (HERE / "requirements.txt").read_text()
    assert '"resolved"' not in (HERE / "package-lock.json").read_text()


@pytest.fixture
def locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Copies of the locks, which a test may change."""
    copies = tmp_path / "locks"
    copies.mkdir()
    for name in environment.LOCKS:
        (copies / name).write_bytes((HERE / name).read_bytes())
    monkeypatch.setattr(environment, "HERE", copies)
    return copies


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What would have been run: nothing is."""
    run: list[str] = []
    monkeypatch.setattr(environment, "_run", lambda *command, cwd=None: run.append(str(command)))
    monkeypatch.setattr(Peers, "_wheel", Path("wheel"))
    return run


@pytest.mark.parametrize("lock", environment.LOCKS)
def test_a_changed_lock_makes_the_environment_anew(
    tmp_path: Path, locks: Path, commands: list[str], lock: str
):
    Peers.at(tmp_path / "peers")
    made = len(commands)
    assert made
    Peers.at(tmp_path / "peers")
    assert len(commands) == made
    with (locks / lock).open("a") as file:
        file.write("\n")
    Peers.at(tmp_path / "peers")
    assert len(commands) == 2 * made


def test_an_interrupted_installation_begins_again(
    tmp_path: Path, commands: list[str], monkeypatch: pytest.MonkeyPatch
):
    def interrupted(*command: object, cwd: Path | None = None) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as during, pytest.raises(KeyboardInterrupt):
        during.setattr(environment, "_run", interrupted)
        Peers.at(tmp_path / "peers")
    assert not Peers(tmp_path / "peers").current()
    assert Peers.at(tmp_path / "peers").current()


def test_peers_that_cannot_be_installed_are_not_run_and_tried_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    tried: list[object] = []

    def offline(*command: object, cwd: Path | None = None) -> None:
        tried.append(command)
        raise subprocess.CalledProcessError(1, "pip", stderr="retrying\nno network\n")

    monkeypatch.setattr(environment, "_run", offline)
    for _ in range(2):
        with pytest.raises(NotRun, match="could not be installed: no network"):
            Peers.at(tmp_path / "peers")
    assert len(tried) == 1
