"""The container files: valid, linted, pinned, without a secret, for every service there is."""

import re
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.local.program import ROOT, SERVICES
from deploy.nats import CONFIG

COMPOSE = ROOT / "docker-compose.yml"
DOCKERFILE = ROOT / "deploy" / "docker" / "Dockerfile"
OTHERS = ("postgres", "nats")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load(COMPOSE.read_text())


def _tool(name: str, *arguments: str | Path) -> None:
    command = (Path(sysconfig.get_path("scripts")) / name, *arguments)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_compose_file_follows_the_compose_specification() -> None:
    _tool("check-jsonschema", "--builtin-schema", "vendor.compose-spec", COMPOSE)


def test_the_dockerfile_passes_the_linter() -> None:
    _tool("hadolint", DOCKERFILE)


def test_the_image_runs_as_nobody_in_particular() -> None:
    users = re.findall(r"^USER (\S+)", DOCKERFILE.read_text(), re.MULTILINE)
    assert users and users[-1] not in ("0", "root")


def test_every_service_is_there_with_its_migration_and_a_health_check(
    compose: dict[str, Any],
) -> None:
    services = compose["services"]
    assert set(services) == {*OTHERS, *SERVICES, *(f"{name}-migration" for name in SERVICES)}
    for name in SERVICES:
        needs = services[name]["depends_on"]
        assert needs[f"{name}-migration"]["condition"] == "service_completed_successfully"
        assert services[name]["command"] == [f"services.{name}"]
    for name in (*OTHERS, *SERVICES):
        assert services[name]["healthcheck"]["test"], name


def test_every_image_is_pinned(compose: dict[str, Any]) -> None:
    images = [compose["services"][name]["image"] for name in OTHERS]
    images += re.findall(r"^FROM (\S+)", DOCKERFILE.read_text(), re.MULTILINE)
    for image in images:
        assert re.fullmatch(r"[\w./-]+:\d+\.\d+[\w.-]*", image), image


def test_no_secret_is_in_the_file_and_no_port_is_open_to_the_network(
    compose: dict[str, Any],
) -> None:
    for name, service in compose["services"].items():
        for variable, value in service.get("environment", {}).items():
            if "PASSWORD" in variable:
                assert value.startswith("${"), (name, variable)
            assert not re.search(r"://\w+:(?!\$\{)[^/@]*@", str(value)), (name, variable)
        for port in service.get("ports", ()):
            assert port.startswith("127.0.0.1:"), (name, port)


def test_the_passwords_that_the_file_asks_for_are_made_once_and_for_the_owner(
    tmp_path: Path,
) -> None:
    script = tmp_path / "deploy" / "docker" / "env.sh"
    script.parent.mkdir(parents=True)
    script.write_text((ROOT / "deploy" / "docker" / "env.sh").read_text())
    command = ("sh", str(script), "https://issuer.example")
    assert subprocess.run(command, check=False).returncode == 0
    made = dict(line.split("=", 1) for line in (tmp_path / ".env").read_text().splitlines())
    assert (tmp_path / ".env").stat().st_mode & 0o777 == 0o600
    asked = set(re.findall(r"\$\{(\w+):\?see deploy/docker/env.sh\}", COMPOSE.read_text()))
    assert asked and asked <= set(made)
    assert set(re.findall(r"\$(KAWAL_\w+)", CONFIG.read_text())) <= set(made)
    assert len(set(made.values())) == len(made)
    assert subprocess.run(command, check=False, capture_output=True).returncode == 2
