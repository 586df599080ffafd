"""After a restore from a backup: a log that goes on from an older state is another log."""

from uuid import UUID

import asyncpg

from deploy.local.program import SERVICES
from deploy.local.state import State
from shared.cli.app import Failure
from shared.eventstore import EventStore
from shared.testing.process import LOOPBACK

PATIENCE = 5.0


async def renew(dsn: str, service: str) -> UUID:
    """Gives the log of `service` a new identity, so that its stream and all its readers begin anew.

    Raises Failure if the database does not answer, or holds no log.
    """
    try:
        async with await EventStore.open(dsn, service=service, patience=PATIENCE) as store:
            return await store.renew_log_id()
    except asyncpg.UndefinedTableError:
        raise Failure(f"the database of {service} holds no log: was it restored?") from None
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise Failure(f"the database of {service} does not answer: {error}") from None


def database_url(state: State, service: str) -> str:
    """The connection string of a local stack's service. Raises Failure where there is none."""
    taken, passwords = state.read("ports.json"), state.read("passwords.json") or {}
    password = passwords.get(f"postgres/{service}_app")
    if taken is None or password is None or service not in SERVICES:
        raise Failure(f"there is no service {service} here: {', '.join(SERVICES)}, after make up")
    return f"postgresql://{service}_app:{password}@{LOOPBACK}:{taken['postgres']}/{service}"
