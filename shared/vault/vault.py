"""The vault's table: records of persons with their salts."""

import secrets
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

import aiosql
import asyncpg
import orjson

from shared import migrations
from shared.documents.people import FORGOTTEN, Person
from shared.vault.people import Record

SQL = Path(__file__).parent / "sql"
_QUERIES = aiosql.from_path(SQL / "queries.sql", "asyncpg", mandatory_parameters=False)
SALT_BYTES = 32


async def migrate(owner_dsn: str, app_role: str | None = None) -> list[str]:
    """Create the vault as the database's owner and let `app_role` keep persons in it."""
    connection = await asyncpg.connect(owner_dsn)
    try:
        applied = await migrations.apply(connection, SQL, "vault")
        if app_role is not None:
            await connection.execute("call vault.admit($1)", app_role)
        return applied
    finally:
        await connection.close()


async def put(pool: asyncpg.Pool, person: str, region: str, record: Record) -> str:
    """Keep the record and answer its salted hash; what is kept already keeps its salt."""
    body = record.encode()
    known = await find(pool, person)
    if known is not None and (known["region"], known["record"]) == (region, body):
        return known["sha256"]
    salt = secrets.token_bytes(SALT_BYTES)
    digest = sha256(salt + body).hexdigest()
    await _QUERIES.put(pool, person=person, region=region, sha256=digest, salt=salt, record=body)
    return digest


async def find(pool: asyncpg.Pool, person: str) -> asyncpg.Record | None:
    """The person's row; `record` is None once the person was forgotten."""
    return await _QUERIES.find(pool, person=person)


async def forget(pool: asyncpg.Pool, person: str) -> None:
    """Record and salt are gone; repeating it changes nothing."""
    await _QUERIES.forget(pool, person=person)


async def people(connection: asyncpg.Connection, ids: Iterable[str]) -> dict[str, Person]:
    """How each of these persons is shown; who was never registered, by the id."""
    wanted = sorted(set(ids))
    found = {each: Person(each) for each in wanted}
    async for row in _QUERIES.people(connection, people=wanted):
        found[row["person"]] = _shown(row)
    return found


def _shown(row: asyncpg.Record) -> Person:
    if row["record"] is None:
        return Person(FORGOTTEN, sha256=row["sha256"])
    record = orjson.loads(row["record"])
    return Person(record["name"], record["position"], record["phone"], row["sha256"])
