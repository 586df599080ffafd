"""The stack's NATS: who may connect to it, and its configuration."""

from collections.abc import Iterable, Mapping

from deploy.local.ports import Ports
from shared.testing.nats import Nats
from shared.testing.process import LOOPBACK


def password_names(services: Iterable[str]) -> list[str]:
    return [f"nats/{service}" for service in services]


def config(server: Nats, taken: Ports, passwords: Mapping[str, str]) -> str:
    users = "\n".join(
        f'    {{ user: {name.removeprefix("nats/")}, password: "{password}" }}'
        for name, password in passwords.items()
        if name.startswith("nats/")
    )
    return f"""\
host: {LOOPBACK}
port: {server.port}
http: "{LOOPBACK}:{taken["nats_monitor"]}"
server_name: kawal-local
jetstream {{ store_dir: "{server.store}" }}
authorization {{ users = [
{users}
] }}
"""
