"""The queries of webhooks, on the tables that the first of them makes."""

from pathlib import Path

import aiosql

SQL = aiosql.from_path(Path(__file__).parent / "queue.sql", "asyncpg", mandatory_parameters=False)
