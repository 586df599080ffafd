"""A service's database and its two roles: the owner migrates it, the app role works in it."""

from dataclasses import dataclass
from pathlib import Path

import aiosql
import asyncpg

from shared.testing.postgres import Postgres

_SQL = aiosql.from_path(Path(__file__).parent / "sql" / "provision.sql", "asyncpg")


@dataclass(frozen=True, slots=True)
class Database:
    """A database with the connection strings of its two roles."""

    name: str
    owner_role: str
    app_role: str
    owner_dsn: str
    app_dsn: str


async def provision(
    server: Postgres,
    admin: asyncpg.Connection,
    name: str,
    passwords: tuple[str, str],
    *,
    roles: str | None = None,
    template: str = "template1",
) -> Database:
    """The database `name` and its roles `<roles>_owner` and `<roles>_app`; what exists is kept."""
    owner, app = f"{roles or name}_owner", f"{roles or name}_app"
    statements = [
        await _SQL.create_role(admin, role=owner, password=passwords[0]),
        await _SQL.create_role(admin, role=app, password=passwords[1]),
        await _SQL.create_database(admin, name=name, owner=owner, template=template),
        await _SQL.close_database(admin, name=name),
        await _SQL.open_database(admin, name=name, app=app),
    ]
    for statement in filter(None, statements):
        await admin.execute(statement)
    return Database(
        name,
        owner,
        app,
        server.dsn(name, owner, passwords[0]),
        server.dsn(name, app, passwords[1]),
    )


async def drop(admin: asyncpg.Connection, name: str) -> None:
    await admin.execute(await _SQL.drop_database(admin, name=name))
