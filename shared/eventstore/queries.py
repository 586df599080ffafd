"""The store's queries, read once from `sql/queries.sql`."""

from pathlib import Path

import aiosql

_FILE = Path(__file__).parent / "sql" / "queries.sql"
_QUERIES = aiosql.from_path(_FILE, "asyncpg", mandatory_parameters=False)

APPEND: str = _QUERIES.append.sql
APPEND_EACH: str = _QUERIES.append_each.sql
READ_STREAM: str = _QUERIES.read_stream.sql
READ_BODIES: str = _QUERIES.read_bodies.sql
READ_ALL: str = _QUERIES.read_all.sql
POSITION: str = _QUERIES.position.sql
LOG_ID: str = _QUERIES.log_id.sql
RENEW_LOG_ID: str = _QUERIES.renew_log_id.sql
COMMANDS: str = _QUERIES.commands.sql
SAVE_SNAPSHOT: str = _QUERIES.save_snapshot.sql
READ_SNAPSHOTS: str = _QUERIES.read_snapshots.sql
