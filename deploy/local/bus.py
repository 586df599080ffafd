"""The stack's NATS: who may connect to it, and its configuration."""

from collections.abc import Iterable, Mapping

from deploy.local.ports import Ports
from deploy.local.state import State
from shared.bus.accounts import AGENCIES, render_server_config
from shared.cli.app import Failure
from shared.testing.nats import Nats
from shared.testing.process import LOOPBACK


def password_names() -> list[str]:
    """The demo agencies'; a service's password is named with the service."""
    return [f"nats/{agency}" for agency in AGENCIES]


def config(
    server: Nats, taken: Ports, services: Iterable[str], passwords: Mapping[str, str]
) -> str:
    """A user for each service and an account for each demo agency; nobody without a password."""
    return render_server_config(
        host=LOOPBACK,
        port=server.port,
        monitor=f"{LOOPBACK}:{taken['nats_monitor']}",
        store=str(server.store),
        services={name: passwords[f"nats/{name}"] for name in services},
        agencies={name: passwords[f"nats/{name}"] for name in AGENCIES},
        name="kawal-local",
    )


def agency_url(state: State, agency: str) -> str:
    """Where an agency's NATS client connects, password included. Raises Failure if unknown."""
    taken, passwords = state.read("ports.json"), state.read("passwords.json") or {}
    password = passwords.get(f"nats/{agency}")
    if taken is None or password is None or agency not in AGENCIES:
        raise Failure(f"there is no agency {agency} here: {', '.join(AGENCIES)}, after make up")
    return f"nats://{agency}:{password}@{LOOPBACK}:{taken['nats']}"
