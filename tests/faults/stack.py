"""A whole local stack for a test: played on, hurt, started again, asked what it holds."""

import asyncio
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Self

import aiosql
import asyncpg
import pytest
from rich.console import Console

from deploy.local import ports
from deploy.local.demo import options
from deploy.local.program import CELL, ROOT, SERVICES
from deploy.local.state import State
from deploy.local.supervisor import Supervisor
from deploy.local.tokens import for_stack
from services.simulator import report
from services.simulator.client import ADMIN, Client
from services.simulator.report import Report
from services.simulator.run import run
from shared.testing.postgres import binary
from shared.testing.process import LOOPBACK, ProcessId, port_is_free, wait_until
from shared.testing.provision import drop

SQL = aiosql.from_path(Path(__file__).with_suffix(".sql"), "asyncpg", mandatory_parameters=False)
OWNERS = ("inventory", "custody", "exchange")
SCOPE = "31.01.02"
DYING = 10.0
SETTLING = 60.0


class Stack:
    """A stack with its own folder and ports; `with` ends all its processes, whatever happened."""

    def __init__(self, folder: Path) -> None:
        self.state = State.at(folder)
        self.supervisor = Supervisor(self.state)
        self.base = _free_base()
        self.urls: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.supervisor.down(_quiet)

    def up(self) -> None:
        """`make up`."""
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("KAWAL_PORT_BASE", str(self.base))
            self.urls = self.supervisor.up(_quiet)

    async def up_again(self) -> None:
        """`make up`, from a test that goes on meanwhile."""
        await asyncio.to_thread(self.up)

    def down(self) -> None:
        """`make down`."""
        self.supervisor.down(_quiet)

    def copy(self, folder: Path) -> "Stack":
        """Another stack with the data of this one, which must be down."""
        shutil.copytree(self.state.folder, folder, dirs_exist_ok=True)
        return Stack(folder)

    def process(self, name: str) -> ProcessId:
        process = self.state.process(name)
        assert process is not None, f"{name} does not run"
        return process

    def kill(self, name: str) -> None:
        """`kill -9`."""
        process = self.process(name)
        os.kill(process.pid, signal.SIGKILL)
        assert wait_until(process.gone, DYING)

    def lose_jetstream(self) -> None:
        """`rm -rf` of all that NATS keeps."""
        shutil.rmtree(self.state.folder / "nats" / "jetstream")

    def token(self, agency: str, roles: tuple[str, ...]) -> str:
        sign = for_stack(self.state)
        return sign(person=f"demo-{agency}", agency=agency, roles=roles, regions=[CELL])

    async def play(self, stages: "Stages | None" = None, scope: str = SCOPE) -> Report:
        """The demo; what an earlier one has done is not done again."""
        output = Console(file=stages or Stages(), width=200)
        asked = options(scope, 1, None, None)
        return await run(asked, self.urls, self.token, self.state.folder, output)

    def forget_progress(self) -> None:
        """The next demo repeats every request."""
        (self.state.folder / "demo-progress.json").unlink(missing_ok=True)

    def client(self) -> Client:
        return Client(self.urls, self.token, "faults")

    async def settled(self) -> dict[str, Any]:
        """The positions, once every stream and read model is where its store is."""
        client = self.client()
        try:
            return await report.settle(client)
        finally:
            await client.close()

    def connect(self, service: str) -> Awaitable[asyncpg.Connection]:
        """To a service's database, as the server's superuser."""
        return asyncpg.connect(self.dsn(service))

    def dsn(self, database: str) -> str:
        secret = self.state.read("passwords.json")["postgres/postgres"]
        port = self.state.read("ports.json")["postgres"]
        return f"postgresql://postgres:{secret}@{LOOPBACK}:{port}/{database}"

    def backup(self, service: str, file: Path) -> Path:
        """`pg_dump` of a service's database, while it is used."""
        self._postgres("pg_dump", "--format=custom", f"--file={file}", self.dsn(service))
        return file

    async def restore(self, service: str, file: Path) -> None:
        """`pg_restore` in place of what the database holds; the service must not run."""
        admin = await self.connect("postgres")
        try:
            await drop(admin, service)
        finally:
            await admin.close()
        self._postgres("pg_restore", "--create", f"--dbname={self.dsn('postgres')}", str(file))

    def _postgres(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            (binary(program), *arguments), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr

    def kawal(self, *arguments: str) -> str:
        """What a command of `kawal` prints."""
        done = subprocess.run(
            (sys.executable, "-m", "shared.cli", *arguments, "--state", str(self.state.folder)),
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    async def content(self, service: str, schemas: Callable[[str], bool]) -> dict[str, list[str]]:
        """The rows of every table in these schemas of a service's database, as sorted text."""
        connection = await self.connect(service)
        try:
            return {
                f"{row['schema']}.{row['name']}": [
                    each["row"] for each in await connection.fetch(row["query"])
                ]
                async for row in SQL.tables(connection)
                if schemas(row["schema"])
            }
        finally:
            await connection.close()

    async def read_models(self) -> dict[str, list[str]]:
        """The rows of all live read models of all services."""
        live = await self.projections()
        content: dict[str, list[str]] = {}
        for service, names in live.items():
            found = await self.content(service, names.__contains__)
            content |= {f"{service}: {table}": rows for table, rows in found.items()}
        return content

    async def projections(self) -> dict[str, list[str]]:
        """The names of the read models of each service."""
        client = self.client()
        try:
            status = {name: await client.get(name, "/projections") for name in SERVICES}
        finally:
            await client.close()
        return {
            service: [name for name, each in rows.items() if each["kind"] == "projection"]
            for service, rows in status.items()
        }

    async def rebuild_all(self) -> list[tuple[str, str]]:
        """Build every read model of every service anew; (service, name) of each."""
        live = await self.projections()
        client = self.client()
        try:
            for service, names in live.items():
                for name in names:
                    await self.rebuild(client, service, name)
        finally:
            await client.close()
        return [(service, name) for service, names in live.items() for name in names]

    async def rebuild(self, client: Client, service: str, name: str) -> None:
        """Ask for a read model to be built anew; returns when the new one is live."""
        before = await self.generation(service, name)
        path = f"/projections/{name}/rebuild"
        await client.post(service, path, {}, ADMIN, f"rebuild:{name}")
        async with asyncio.timeout(SETTLING):
            while await self.generation(service, name) == before:
                await asyncio.sleep(0.05)

    async def generation(self, service: str, name: str) -> int:
        connection = await self.connect(service)
        try:
            return await SQL.generation(connection, name=name)
        finally:
            await connection.close()

    async def log_ids(self) -> dict[str, str]:
        """The identity of each owner's log, as the owner says it."""
        client = self.client()
        try:
            return {name: (await client.get(name, "/positions"))["log_id"] for name in OWNERS}
        finally:
            await client.close()


class Stages:
    """A demo's output; `begun(n)` returns while its n-th stage is being played."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._more = asyncio.Event()

    def write(self, text: str) -> int:
        self.names += [line for line in text.splitlines() if line.strip()]
        self._more.set()
        return len(text)

    def flush(self) -> None:
        pass

    async def begun(self, number: int, demo: asyncio.Task[Report]) -> None:
        while len(self.names) < number:
            self._more.clear()
            waiting = asyncio.create_task(self._more.wait())
            await asyncio.wait({waiting, demo}, return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
            if demo.done():
                demo.result()
                raise AssertionError(f"the demo has {len(self.names)} stages, not {number}")


def figures(result: Report | Mapping[str, Any]) -> dict[str, Any]:
    """All that a demo reports, but for the time that it took."""
    found = result.figures if isinstance(result, Report) else result
    return {name: value for name, value in found.items() if name != "seconds"}


def _free_base() -> int:
    """Ports below those that the system gives to connections, none of them in use."""
    while True:
        base = random.randrange(10_000, 30_000, 100)
        if all(port_is_free(base + offset) for offset in ports.OFFSETS.values()):
            return base


def _quiet(_: str) -> None:
    pass
