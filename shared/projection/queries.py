"""The engine's SQL, loaded once."""

from pathlib import Path

import aiosql

SQL = Path(__file__).parent / "sql"

checkpoint = aiosql.from_path(SQL / "checkpoint.sql", "asyncpg", mandatory_parameters=False)
generation = aiosql.from_path(SQL / "generation.sql", "asyncpg", mandatory_parameters=False)
intent = aiosql.from_path(SQL / "intent.sql", "asyncpg", mandatory_parameters=False)
parking = aiosql.from_path(SQL / "parking.sql", "asyncpg", mandatory_parameters=False)
