"""Creates or updates the event store in a service's database."""

from pathlib import Path

import asyncpg

from shared import migrations

DIRECTORY = Path(__file__).parent / "sql"


async def migrate(owner_dsn: str, app_role: str | None = None) -> list[str]:
    """Apply the store's migrations as the database's owner and admit `app_role` to append and read.

    Returns the names of the migrations applied now; repeating it changes nothing.
    """
    connection = await asyncpg.connect(owner_dsn)
    try:
        applied = await migrations.apply(connection, DIRECTORY, "eventstore")
        if app_role is not None:
            await connection.execute("call eventstore.admit($1)", app_role)
        return applied
    finally:
        await connection.close()
