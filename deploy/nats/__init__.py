"""NATS in containers: nats.conf is made by `python -m deploy.nats` and takes its passwords from the
server's environment."""

from pathlib import Path

from shared.bus.accounts import AGENCIES, SERVICES, Env, render_server_config

CONFIG = Path(__file__).parent / "nats.conf"


def config() -> str:
    """The text of nats.conf."""
    return (
        "# Made by `python -m deploy.nats` from shared/bus/accounts.py.\n"
        + render_server_config(
            host="0.0.0.0",
            port=4222,
            monitor="0.0.0.0:8222",
            store="/data/jetstream",
            services={name: _password(name) for name in SERVICES},
            agencies={name: _password(name) for name in AGENCIES},
            sync_always=True,
        )
    )


def _password(name: str) -> Env:
    return Env(f"KAWAL_NATS_{name.upper().replace('-', '_')}_PASSWORD")
