"""Where a row is measured: servers of its own with the local stack's settings, and programs."""

import asyncio
import contextlib
import json
import os
import secrets
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg

from shared.bus.accounts import SERVICES, render_server_config
from shared.testing.nats import Nats
from shared.testing.postgres import Postgres
from shared.testing.process import LOOPBACK, free_port, interrupt_with_parent
from shared.testing.provision import Database, drop, provision
from tests.bench.row import NotRun, Sample

if TYPE_CHECKING:
    from tests.bench.peers.environment import Peers

ROOT = Path(__file__).resolve().parents[2]
CELL = "31"
PATIENCE = 600.0


@dataclass(frozen=True, slots=True)
class Bus:
    """A NATS server with the services' accounts: `passwords` by service."""

    url: str
    passwords: Mapping[str, str]


@dataclass
class Room:
    """One row's servers, made at first use, in `folder`; `seconds` is the length of a sample."""

    folder: Path
    seconds: float = 3.0
    shelf: Path | None = None
    """Where the peers' environments are kept from run to run."""
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    _numbers: "count[int]" = field(default_factory=count)
    _server: Postgres | None = None
    _admin: asyncpg.Connection | None = None

    @property
    def peers(self) -> "Peers":
        """The environment in which the peers live, installed at first use."""
        from tests.bench.peers.environment import Peers

        return Peers.at(self.shelf or self.folder / "peers")

    async def database(self, name: str) -> Database:
        """A fresh database on the row's own Postgres; an older one of that name is dropped."""
        server, admin = await self._postgres()
        await drop(admin, name)
        words = (secrets.token_hex(8), secrets.token_hex(8))
        return await provision(server, admin, name, words)

    async def _postgres(self) -> tuple[Postgres, asyncpg.Connection]:
        if self._server is None or self._admin is None:
            server = Postgres(
                self.folder / "postgres", free_port(), secrets.token_hex(8), attached=True
            )
            process = server.start()
            self._stack.callback(server.stop, process)
            self._server, self._admin = server, await asyncpg.connect(server.dsn())
            self._stack.push_async_callback(self._admin.close)
        return self._server, self._admin

    async def nats(self) -> Bus:
        """A fresh server with the services' accounts, as on the local stack."""
        folder = self.folder / f"nats-{next(self._numbers)}"
        server = Nats(folder, free_port(), attached=True)
        passwords = {name: secrets.token_urlsafe(16) for name in SERVICES}
        config = render_server_config(
            host=LOOPBACK, port=server.port, store=str(server.store), services=passwords, cell=CELL
        )
        self._stack.callback(server.stop, server.start(config))
        return Bus(f"nats://{LOOPBACK}:{server.port}", passwords)

    async def python(self, module: str, *arguments: object, env: Mapping[str, str] = {}) -> Sample:
        """What `python -m module` of this checkout says; see `run`."""
        return await self.run(sys.executable, "-m", module, *arguments, env=env)

    async def run(self, *command: object, env: Mapping[str, str] = {}) -> Sample:
        """What a program's last line says, one JSON object. Raises NotRun if it fails.

        The program is interrupted when this process ends, and killed with its children when the
        call is cancelled.
        """
        return json.loads((await self.output(*command, env=env)).strip().splitlines()[-1])

    async def output(self, *command: object, env: Mapping[str, str] = {}) -> str:
        """All that a program prints. Raises NotRun if it fails."""
        process = await asyncio.create_subprocess_exec(
            *map(str, command),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": str(ROOT)} | dict(env),
            start_new_session=True,
            preexec_fn=interrupt_with_parent,
        )
        try:
            async with asyncio.timeout(PATIENCE):
                output, errors = await process.communicate()
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
        if process.returncode:
            said = (errors or output).decode(errors="replace").strip().splitlines()
            raise NotRun(said[-1] if said else f"exit {process.returncode}")
        return output.decode()


@asynccontextmanager
async def opened(folder: Path, seconds: float, shelf: Path) -> AsyncIterator[Room]:
    """A room in an empty folder, of which nothing is left afterwards."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    room = Room(folder, seconds, shelf)
    try:
        async with room._stack:
            yield room
    finally:
        shutil.rmtree(folder, ignore_errors=True)
