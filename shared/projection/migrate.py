"""Creates or updates the engine's tables in a service's database."""

import asyncpg

from shared import migrations
from shared.projection.queries import SQL


async def migrate(owner_dsn: str, app_role: str | None = None) -> list[str]:
    """Apply the engine's migrations as the database's owner and let `app_role` run workers.

    That role may then create schemas in the database: it owns its read models. Returns the names
    of the migrations applied now; repeating it changes nothing.
    """
    connection = await asyncpg.connect(owner_dsn)
    try:
        applied = await migrations.apply(connection, SQL, "projection")
        if app_role is not None:
            await connection.execute("call projection.admit($1)", app_role)
        return applied
    finally:
        await connection.close()
