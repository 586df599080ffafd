"""Brings a service's database up to date: event store, projections, the service's own tables."""

from importlib.util import find_spec
from pathlib import Path

import asyncpg

import services
from shared import migrations
from shared.eventstore.migrate import migrate as migrate_store
from shared.projection.migrate import migrate as migrate_projections


async def migrate(service: str, owner_dsn: str, app_role: str) -> list[str]:
    """Applies what is new, as the database's owner; returns the names of what was applied.

    Only a service that publishes a contract has events of its own, so an event store. A service's
    own tables come from the numbered files in `services/<service>/migrations`, if there are any.
    """
    applied = []
    if publishes(service):
        applied += await migrate_store(owner_dsn, app_role=app_role)
    applied += await migrate_projections(owner_dsn, app_role=app_role)
    own = folder(service) / "migrations"
    if own.is_dir():
        connection = await asyncpg.connect(owner_dsn)
        try:
            applied += await migrations.apply(connection, own, service)
        finally:
            await connection.close()
    return applied


def publishes(service: str) -> bool:
    return find_spec(f"shared.contracts.{service}") is not None


def folder(service: str) -> Path:
    return Path(services.__path__[0]) / service
