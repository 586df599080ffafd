"""A database for each service on the stack's Postgres, migrated by its owner."""

import asyncio
from collections.abc import Iterable, Mapping

import asyncpg

from deploy.migrate import migrate
from shared.cli.app import Failure
from shared.migrations import MigrationChanged
from shared.testing.postgres import Postgres
from shared.testing.provision import Database, provision


async def prepare(
    server: Postgres, services: Iterable[str], passwords: Mapping[str, str]
) -> dict[str, Database]:
    """The databases of these services, made and migrated as far as they are not yet."""
    try:
        admin = await asyncpg.connect(server.dsn())
    except asyncpg.InvalidPasswordError:
        raise Failure(
            "Postgres does not take the password of passwords.json: was that file replaced?"
        ) from None
    except (OSError, asyncpg.PostgresError) as error:
        raise Failure(f"Postgres does not answer: {error}") from None
    try:
        databases = {
            service: await provision(server, admin, service, _secrets(service, passwords))
            for service in services
        }
    finally:
        await admin.close()
    try:
        await asyncio.gather(
            *(
                migrate(service, database.owner_dsn, database.app_role)
                for service, database in databases.items()
            )
        )
    except MigrationChanged as changed:
        raise Failure(
            f"the databases in this state folder are of another version: {changed}"
        ) from None
    return databases


def _secrets(service: str, passwords: Mapping[str, str]) -> tuple[str, str]:
    return passwords[f"postgres/{service}_owner"], passwords[f"postgres/{service}_app"]
