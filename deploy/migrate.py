"""Brings a service's database up to date: event store, and what keeps its projections."""

from importlib.util import find_spec

from shared import vault
from shared.documents import store as documents
from shared.eventstore.migrate import migrate as migrate_store
from shared.projection.migrate import migrate as migrate_projections


async def migrate(service: str, owner_dsn: str, app_role: str) -> list[str]:
    """Applies what is new, as the database's owner; returns the names of what was applied.

    Only a service that publishes a contract has events of its own, so an event store, and with it
    a vault of the persons that they name and the documents that it issues. Each
    projection makes its own tables when it is first built.
    """
    applied = []
    if publishes(service):
        applied += await migrate_store(owner_dsn, app_role=app_role)
        applied += await vault.migrate(owner_dsn, app_role=app_role)
        applied += await documents.migrate(owner_dsn, app_role=app_role)
    applied += await migrate_projections(owner_dsn, app_role=app_role)
    return applied


def publishes(service: str) -> bool:
    return find_spec(f"shared.contracts.{service}") is not None
