"""The script that the Postgres image runs once, against a real Postgres of the same version."""

import asyncio
import os
import subprocess
from pathlib import Path

import asyncpg
import pytest

from deploy.local.program import ROOT, SERVICES
from deploy.migrate import migrate
from shared.testing.postgres import Postgres, binary
from shared.testing.process import LOOPBACK, free_port

SCRIPT = ROOT / "deploy" / "postgres" / "databases.sh"


def test_each_service_gets_a_database_that_only_its_roles_enter(tmp_path: Path) -> None:
    server = Postgres(tmp_path / "postgres", free_port(), "super-secret")
    process = server.start()
    try:
        _run_script(server)
        asyncio.run(_check(server))
    finally:
        server.stop(process)


def _run_script(server: Postgres) -> None:
    passwords = {
        f"KAWAL_{service.upper()}_{role}_PASSWORD": f"it's-{service}-{role}".lower()
        for service in SERVICES
        for role in ("OWNER", "APP")
    }
    address = {"PGHOST": LOOPBACK, "PGPORT": str(server.port), "PGPASSWORD": server.password}
    path = f"{binary('psql').parent}:{os.environ['PATH']}"
    environment = os.environ | passwords | address | {"POSTGRES_USER": "postgres", "PATH": path}
    subprocess.run(("sh", str(SCRIPT)), env=environment, check=True, timeout=60)


async def _check(server: Postgres) -> None:
    for service in SERVICES:
        owner = server.dsn(service, f"{service}_owner", f"it%27s-{service}-owner")
        assert await migrate(service, owner, f"{service}_app")
    stranger = server.dsn("custody", "inventory_app", "it%27s-inventory-app")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await asyncpg.connect(stranger)
