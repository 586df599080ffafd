"""Documents that were issued, in a table of the service's database, by the hash of their bytes."""

from pathlib import Path

import aiosql
import asyncpg

from shared import migrations
from shared.documents.rendering import Document, Source

SQL = Path(__file__).parent / "sql"
_QUERIES = aiosql.from_path(SQL / "queries.sql", "asyncpg", mandatory_parameters=False)


async def migrate(owner_dsn: str, app_role: str | None = None) -> list[str]:
    """Create the table as the database's owner; `app_role` may add documents and read them."""
    connection = await asyncpg.connect(owner_dsn)
    try:
        applied = await migrations.apply(connection, SQL, "documents")
        if app_role is not None:
            await connection.execute("call documents.admit($1)", app_role)
        return applied
    finally:
        await connection.close()


async def keep(connection: asyncpg.Connection, document: Document) -> None:
    """Once, whoever repeats it."""
    await _QUERIES.keep(
        connection,
        sha256=bytes.fromhex(document.sha256),
        media_type=document.media_type,
        content=document.content,
    )


async def give_out(pool: asyncpg.Pool, document: Document, source: Source) -> None:
    """Keep a document that is handed out, and what anybody may know of it."""
    async with pool.acquire() as connection, connection.transaction():
        await keep(connection, document)
        await _QUERIES.note_given_out(
            connection,
            content_sha256=bytes.fromhex(document.content_sha256),
            sha256=bytes.fromhex(document.sha256),
            number=source.number,
            at=source.at,
        )


async def given_out(pool: asyncpg.Pool, sha256: str) -> asyncpg.Record | None:
    """`number` and `at` of the document that was handed out with this hash (or its content)."""
    return await _QUERIES.given_out(pool, sha256=bytes.fromhex(sha256))


async def find(pool: asyncpg.Pool, sha256: str) -> asyncpg.Record | None:
    """`media_type` and `content` of the document with this hash, in hexadecimal."""
    return await _QUERIES.find(pool, sha256=bytes.fromhex(sha256))
