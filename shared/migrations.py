"""Migrations: a folder of `NNNN_name.sql` files, each applied once, in order, in a transaction."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import asyncpg

_FILE = re.compile(r"^(\d{4})_(\w+)\.sql$")
_LOCK = "select pg_advisory_xact_lock(hashtext('kawal_migration'))"
_TABLE = """
create table if not exists public.kawal_migration (
    component text not null,
    version integer not null,
    name text not null,
    checksum text not null,
    applied_at timestamptz not null default clock_timestamp(),
    primary key (component, version)
)
"""
_APPLIED = "select version, checksum from public.kawal_migration where component = $1"
_RECORD = """
insert into public.kawal_migration (component, version, name, checksum) values ($1, $2, $3, $4)
"""


class MigrationChanged(Exception):
    """A file that has already been applied differs from what was applied."""


@dataclass(frozen=True, slots=True)
class Migration:
    version: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def migrations(directory: Path) -> list[Migration]:
    """The migrations of a folder in order; other files are passed over, two of a number refused."""
    found = [
        Migration(int(match[1]), match[2], path.read_text(encoding="utf-8"))
        for path in sorted(directory.iterdir())
        if (match := _FILE.match(path.name))
    ]
    if len({migration.version for migration in found}) != len(found):
        raise ValueError(f"{directory.name}: two migrations have the same number")
    return found


async def apply(connection: asyncpg.Connection, directory: Path, component: str) -> list[str]:
    """Apply what is new in `directory` to the connection's database; all of it or nothing.

    Returns the names applied now. Several processes may call it at once: they wait for each other.
    """
    async with connection.transaction():
        await connection.execute(_LOCK)
        await connection.execute(_TABLE)
        applied = {row["version"]: row["checksum"] for row in await _applied(connection, component)}
        done = []
        for migration in _new(migrations(directory), applied, component):
            await connection.execute(migration.sql)
            await connection.execute(
                _RECORD, component, migration.version, migration.name, migration.checksum
            )
            done.append(migration.name)
        return done


async def _applied(connection: asyncpg.Connection, component: str) -> list[asyncpg.Record]:
    return await connection.fetch(_APPLIED, component)


def _new(
    found: Iterable[Migration], applied: dict[int, str], component: str
) -> Iterable[Migration]:
    for migration in found:
        checksum = applied.get(migration.version)
        if checksum is None:
            yield migration
        elif checksum != migration.checksum:
            raise MigrationChanged(
                f"{component}: migration {migration.version:04} {migration.name} was edited "
                "after it had been applied; add a new one instead"
            )
