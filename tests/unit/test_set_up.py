"""What set-up installs from: every dependency pinned by hash, no address of any package index."""

import re

import pytest

from deploy.local.program import ROOT

LOCKS = ("requirements", "requirements-dev")
HOSTS = re.compile(r"https?://|index-url|find-links|\.(org|com|io|net)\b")


def _names(text: str) -> set[str]:
    found = re.findall(r"^([A-Za-z0-9][\w.-]*)", text, re.MULTILINE)
    return {re.sub(r"[-_.]+", "-", name).lower() for name in found}


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_pins_every_package_by_hash_and_names_no_index(name: str) -> None:
    lock = (ROOT / f"{name}.txt").read_text()
    assert not HOSTS.search(lock)
    packages = re.split(r"\n(?=\S)", lock.strip())
    assert len(packages) > 50
    for package in packages:
        assert re.match(r"^[\w.\[\]-]+==\S+", package) and "--hash=sha256:" in package, package


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_has_what_its_source_asks_for(name: str) -> None:
    asked = _names((ROOT / f"{name}.in").read_text())
    assert asked and asked <= _names((ROOT / f"{name}.txt").read_text())


def test_the_tests_run_on_what_the_services_run_on() -> None:
    pins = [
        set(re.findall(r"^\S+==\S+", (ROOT / f"{name}.txt").read_text(), re.M)) for name in LOCKS
    ]
    assert pins[0] <= pins[1]
