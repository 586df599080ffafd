"""The programs that a local stack runs besides Postgres and NATS, and what each is told."""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy import health
from deploy.local.launch import Order
from deploy.local.ports import Ports
from deploy.local.state import State
from shared.bus.accounts import SERVICES
from shared.testing.process import LOOPBACK, ProcessId, spawn

ROOT = Path(__file__).parent.parent.parent
SERVERS = ("postgres", "nats", "issuer", *SERVICES)
CELL = "31"
PASSED_ON = ("KAWAL_OTLP_ENDPOINT", "KAWAL_LOG_LEVEL", "KAWAL_CLOCK")
LARGEST_LOG = 64 * 1024 * 1024


def password_names() -> list[str]:
    """Postgres's superuser; for each service two roles in its database and a user of NATS."""
    kinds = ("postgres/{}_owner", "postgres/{}_app", "nats/{}")
    return ["postgres/postgres", *(kind.format(name) for name in SERVICES for kind in kinds)]


@dataclass(frozen=True, slots=True)
class Program:
    """A Python program with its own environment and port; healthy when /health/ready says so."""

    name: str
    arguments: tuple[str, ...]
    environment: dict[str, str]
    port: int

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    def start(self, state: State, root: Path) -> ProcessId:
        command = (sys.executable, "-m", *self.arguments)
        environment = clean_environment() | self.environment
        return spawn(command, _fresh_log(state, self.name), cwd=root, env=environment)

    def order(self, state: State) -> Order:
        """For a launcher, which starts it together with others."""
        module, *arguments = self.arguments
        environment = clean_environment() | self.environment
        log = _fresh_log(state, self.name)
        return Order(self.name, module, tuple(arguments), environment, str(log))

    def ready(self) -> bool:
        return health.ready(self.port)


def issuer(state: State, ports: Ports) -> Program:
    port = ports["issuer"]
    arguments = ("deploy.local.issuer", "--state", str(state.folder), "--port", str(port))
    return Program("issuer", arguments, {}, port)


def service(
    name: str, state: State, ports: Ports, passwords: Mapping[str, str], database_url: str
) -> Program:
    """A service as it runs anywhere: all that it knows is in its environment."""
    issuer_url = f"http://{LOOPBACK}:{ports['issuer']}"
    environment = {
        "KAWAL_SERVICE": name,
        "KAWAL_CELL": CELL,
        "KAWAL_HOST": LOOPBACK,
        "KAWAL_PORT": str(ports[name]),
        "KAWAL_DATABASE_URL": database_url,
        "KAWAL_NATS_URL": f"nats://{LOOPBACK}:{ports['nats']}",
        "KAWAL_NATS_USER": name,
        "KAWAL_NATS_PASSWORD": passwords[f"nats/{name}"],
        "KAWAL_ISSUER": issuer_url,
        "KAWAL_AUDIENCE": "kawal",
        "KAWAL_JWKS_URL": f"{issuer_url}/jwks.json",
        "KAWAL_CLOCK": "simulated",
        "KAWAL_STATE": str(state.folder),
        "KAWAL_WEBHOOK_LOOPBACK": "true",
    }
    if name == "console":
        peers = {peer: f"http://{LOOPBACK}:{ports[peer]}" for peer in SERVICES if peer != name}
        environment["KAWAL_PEERS"] = json.dumps(peers)
    passed_on = {key: os.environ[key] for key in PASSED_ON if os.environ.get(key)}
    return Program(name, (f"services.{name}",), environment | passed_on, ports[name])


def clean_environment() -> dict[str, str]:
    """Ours without settings meant for another stack, or for Postgres clients."""
    kept = {key: text for key, text in os.environ.items() if not key.startswith(("KAWAL_", "PG"))}
    path = os.pathsep.join(filter(None, (str(ROOT), kept.get("PYTHONPATH"))))
    return kept | {"PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}


def _fresh_log(state: State, name: str) -> Path:
    log = state.log(name)
    if log.exists() and log.stat().st_size > LARGEST_LOG:
        log.replace(log.with_suffix(".log.1"))
    return log
