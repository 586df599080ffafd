"""The SQL that keeps units, consignments and incidents, loaded once."""

from pathlib import Path

import aiosql

SQL = aiosql.from_path(
    Path(__file__).parent / "custody_writes.sql", "asyncpg", mandatory_parameters=False
)
