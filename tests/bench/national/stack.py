"""The servers of the national run: those of the local stack that it needs, as a cell of their own.

They run detached, like the local stack's: who starts the run again finds what still runs, and
starts the rest.
"""

import asyncio
import os
import time
from dataclasses import dataclass, replace
from functools import cached_property

from deploy.local import ports, program
from deploy.local.program import Program
from deploy.local.state import State
from deploy.local.supervisor import STOP, Say
from deploy.local.tokens import for_stack, key_path, load_key
from shared.bus.accounts import render_server_config
from shared.cli.app import Failure
from shared.testing.nats import Nats
from shared.testing.postgres import Postgres
from shared.testing.process import LOOPBACK, StartFailed, last_line, wait_until
from shared.testing.provision import Database
from tests.bench.national.plan import SERVICES

CELL = "00"
"""The whole country; a province's cell has the code of the province."""
ROLES = {
    "inventory": ("inventory", "api,relay,worker"),
    "custody": ("custody", "api,worker"),
    "custody-relay": ("custody", "relay"),
}
"""Processes of the services: which service, in which roles."""
CLOCK = {"KAWAL_CLOCK": "simulated", "KAWAL_CLOCK_START": "2024-02-13T20:00:00+07:00"}
"""The eve of voting, before the hour from which a delivery is late."""
SERVERS = ("postgres", "nats", "issuer", *ROLES)
PATIENCE = 90.0


@dataclass(frozen=True)
class Stack:
    """Postgres, NATS, the issuer, and the services' processes, with all they have in one folder."""

    state: State

    @cached_property
    def ports(self) -> ports.Ports:
        recorded = self.state.read("ports.json")
        if recorded and any(self.state.process(name) for name in SERVERS):
            return recorded
        taken = ports.choose(os.environ)
        self.state.write("ports.json", taken)
        return taken

    @cached_property
    def passwords(self) -> dict[str, str]:
        return self.state.passwords(program.password_names())

    @cached_property
    def postgres(self) -> Postgres:
        folder, secret = self.state.folder / "postgres", self.passwords["postgres/postgres"]
        return Postgres(folder, self.ports["postgres"], secret)

    @cached_property
    def nats(self) -> Nats:
        return Nats(self.state.folder / "nats", self.ports["nats"])

    def fallen(self) -> list[str]:
        """The servers that do not run."""
        return [name for name in SERVERS if self.state.process(name) is None]

    def url(self, service: str) -> str:
        return f"http://{LOOPBACK}:{self.ports[service]}"

    def token(self) -> str:
        """Of somebody who may read everything, for an hour."""
        claims = {"person": "bench", "agency": "KPU", "roles": ["auditor"], "regions": ["*"]}
        return for_stack(self.state)(**claims)

    def dsn(self, service: str) -> str:
        return self.postgres.dsn(
            service, f"{service}_app", self.passwords[f"postgres/{service}_app"]
        )

    def up(self, say: Say) -> None:
        """Starts what does not run and waits until it is ready. Raises Failure."""
        with self.state.lock():
            try:
                self._up(say)
            except StartFailed as failed:
                raise Failure(str(failed)) from None

    def _up(self, say: Say) -> None:
        from deploy.local.databases import prepare

        load_key(key_path(self.state))
        if self._missing("postgres", say):
            self.state.started("postgres", self.postgres.start())
        if self._missing("nats", say):
            self.state.started("nats", self.nats.start(self._bus()))
        databases = asyncio.run(prepare(self.postgres, SERVICES, self.passwords))
        programs = [program.issuer(self.state, self.ports), *self._services(databases)]
        for each in programs:
            if self._missing(each.name, say):
                self.state.started(each.name, each.start(self.state, program.ROOT))
        for each in programs:
            self._wait(each)

    def _missing(self, name: str, say: Say) -> bool:
        missing = self.state.process(name) is None
        if missing:
            say(f"starting {name}")
        return missing

    def _bus(self) -> str:
        return render_server_config(
            host=LOOPBACK,
            port=self.nats.port,
            monitor=f"{LOOPBACK}:{self.ports['nats_monitor']}",
            store=str(self.nats.store),
            services={name: self.passwords[f"nats/{name}"] for name in SERVICES},
            cell=CELL,
            name="kawal-national",
        )

    def _services(self, databases: dict[str, Database]) -> list[Program]:
        found = []
        for name, (service, roles) in ROLES.items():
            dsn = databases[service].app_dsn
            each = program.service(service, self.state, self.ports, self.passwords, dsn)
            environment = each.environment | CLOCK | {"KAWAL_CELL": CELL, "KAWAL_ROLES": roles}
            found.append(replace(each, name=name, environment=environment))
        return found

    def _wait(self, each: Program) -> None:
        """A relay alone has no port: it is ready while it runs."""
        listens = each.name in (*SERVICES, "issuer")
        deadline = time.monotonic() + PATIENCE
        wait_until(
            lambda: self.state.process(each.name) is None or not listens or each.ready(), PATIENCE
        )
        if self.state.process(each.name) is None or time.monotonic() > deadline:
            raise StartFailed(f"{each.name} is not ready: {last_line(self.state.log(each.name))}")

    def down(self, say: Say) -> None:
        """Stops what runs, the services first; the data stays."""
        with self.state.lock():
            for name in (*ROLES, "issuer", "nats", "postgres"):
                process = self.state.process(name)
                if process is not None:
                    say(f"stopping {name}")
                    process.stop(*([STOP[name]] if name in STOP else []), timeout=60.0)
                self.state.ended(name)
