"""The SQL of the read models, loaded once."""

from pathlib import Path

import aiosql

SQL = Path(__file__).parent

places = aiosql.from_path(SQL / "places_queries.sql", "asyncpg", mandatory_parameters=False)
writing = aiosql.from_path(SQL / "custody_writing.sql", "asyncpg", mandatory_parameters=False)
reading = aiosql.from_path(SQL / "custody_reading.sql", "asyncpg", mandatory_parameters=False)
