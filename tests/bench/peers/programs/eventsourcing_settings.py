"""How eventsourcing is told of a database."""

from urllib.parse import urlsplit

from eventsourcing.utils import Environment


def settings(dsn: str, pool: str) -> Environment:
    """A pool of fixed size, functions in the database, callers that wait for a connection."""
    url = urlsplit(dsn)
    return Environment(
        env={
            "PERSISTENCE_MODULE": "eventsourcing.postgres",
            "POSTGRES_DBNAME": url.path.removeprefix("/"),
            "POSTGRES_HOST": url.hostname or "",
            "POSTGRES_PORT": str(url.port),
            "POSTGRES_USER": url.username or "",
            "POSTGRES_PASSWORD": url.password or "",
            "POSTGRES_POOL_SIZE": pool,
            "POSTGRES_MAX_OVERFLOW": "0",
            "POSTGRES_CONNECT_TIMEOUT": "60",
            "POSTGRES_ENABLE_DB_FUNCTIONS": "yes",
        }
    )
