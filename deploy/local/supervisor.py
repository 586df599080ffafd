"""Starts what is missing of a local stack, stops all of it, says how it is.

Nothing stays behind to watch: the servers run detached; one that died is started by the next `up`.
"""

import asyncio
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.local import bus, ports, program
from deploy.local.launch import Launcher
from deploy.local.program import ROOT, SERVERS, SERVICES, Program, clean_environment
from deploy.local.state import State
from deploy.local.tokens import key_path, load_key
from shared.cli.app import Failure
from shared.testing.nats import Nats
from shared.testing.postgres import Postgres
from shared.testing.process import ProcessId, StartFailed, last_line, reap

if TYPE_CHECKING:
    from shared.testing.provision import Database

# Postgres takes SIGTERM for "wait until everyone has left".
STOP = {"postgres": signal.SIGINT}
PATIENCE = 90.0
TRIES = 3
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Row:
    """How one server of the stack is: "ready", "starting" (alive, not healthy) or "stopped"."""

    name: str
    state: str
    pid: int | None
    port: int | None


@dataclass(frozen=True, slots=True)
class Supervisor:
    """One local stack; `root` is where `python -m services.<name>` is run."""

    state: State
    root: Path = ROOT

    def up(self, say: Say = print) -> dict[str, str]:
        """Starts what does not run, waits until all is healthy; the URL of each service.

        Raises Failure: a port in use, or a server that does not start, in one line.
        """
        with self.state.lock():
            try:
                return self._up(say)
            except StartFailed as failed:
                raise Failure(str(failed)) from None

    def _up(self, say: Say) -> dict[str, str]:
        missing = [name for name in SERVERS if self.state.process(name) is None]
        taken = self._ports(missing)
        passwords = self.state.passwords([*program.password_names(), *bus.password_names()])
        load_key(key_path(self.state))
        issuer = program.issuer(self.state, taken)
        with self._launcher(missing) as launcher:
            databases = self._serve(taken, passwords, say)
            programs = [issuer] + [
                program.service(name, self.state, taken, passwords, databases[name].app_dsn)
                for name in SERVICES
            ]
            self._launch(launcher, programs, say)
        self._wait(programs, say)
        return {each.name: each.url for each in programs}

    def _launcher(self, missing: Sequence[str]) -> Launcher | nullcontext[None]:
        """A launcher, which loads while the servers start; none for a single program."""
        if len(set(missing) - {"postgres", "nats"}) < 2:
            return nullcontext()
        return Launcher(self.root, clean_environment(), self.state.log("launch"))

    def _serve(
        self, taken: ports.Ports, passwords: Mapping[str, str], say: Say
    ) -> dict[str, "Database"]:
        """Postgres with the services' databases, and NATS."""
        secret = passwords["postgres/postgres"]
        postgres = Postgres(self.state.folder / "postgres", taken["postgres"], secret)
        nats = Nats(self.state.folder / "nats", taken["nats"])
        config = bus.config(nats, taken, SERVICES, passwords)
        with ThreadPoolExecutor() as pool:
            starts = (
                pool.submit(self._ensure, "postgres", postgres.start, say),
                pool.submit(self._ensure, "nats", lambda: nats.start(config), say),
            )
            # Half a second of imports, while the servers start.
            from deploy.local.databases import prepare

            for start in starts:
                start.result()
        return asyncio.run(prepare(postgres, SERVICES, passwords))

    def _ports(self, missing: Sequence[str]) -> ports.Ports:
        recorded = self.state.read("ports.json")
        if recorded and len(missing) < len(SERVERS):
            return ports.keep(recorded, os.environ, missing)
        taken = ports.choose(os.environ)
        self.state.write("ports.json", taken)
        return taken

    def _ensure(self, name: str, start: Callable[[], ProcessId], say: Say) -> None:
        if self.state.process(name) is None:
            say(f"starting {name}")
            self.state.started(name, start())

    def _launch(self, launcher: Launcher | None, programs: Sequence[Program], say: Say) -> None:
        missing = [each for each in programs if self.state.process(each.name) is None]
        if launcher is None:
            for each in missing:
                self._start(each, say)
            return
        for each in missing:
            say(f"starting {each.name}")
        started = launcher.start([each.order(self.state) for each in missing])
        for name, process in started.items():
            self.state.started(name, process)

    def _start(self, server: Program, say: Say) -> None:
        self._ensure(server.name, lambda: server.start(self.state, self.root), say)

    def _wait(self, programs: Sequence[Program], say: Say) -> None:
        """Until the last is healthy; one that dies meanwhile (as some do after Postgres did) is
        started again, at most `TRIES` times."""
        deadline = time.monotonic() + PATIENCE
        tries = dict.fromkeys((each.name for each in programs), 1)
        waiting = list(programs)
        while waiting:
            for each in waiting:
                if self.state.process(each.name) is None:
                    self._again(each, tries, say)
            waiting = [each for each in waiting if not each.ready()]
            if waiting and time.monotonic() > deadline:
                names = ", ".join(each.name for each in waiting)
                raise StartFailed(f"not healthy after {PATIENCE:.0f} s: {names} (see: kawal logs)")
            if waiting:
                time.sleep(0.05)

    def _again(self, server: Program, tries: dict[str, int], say: Say) -> None:
        if tries[server.name] == TRIES:
            said = last_line(self.state.log(server.name))
            raise StartFailed(f"{server.name} ends as soon as it is started: {said}")
        tries[server.name] += 1
        self._start(server, say)

    def down(self, say: Say = print) -> None:
        """Stops everything, the services first; what does not run is no error."""
        with self.state.lock(), ThreadPoolExecutor() as pool:
            for done in [pool.submit(self._stop, name, say) for name in (*SERVICES, "issuer")]:
                done.result()
            for name in ("nats", "postgres"):
                self._stop(name, say)

    def _stop(self, name: str, say: Say) -> None:
        process = self.state.process(name)
        if process is not None:
            say(f"stopping {name}")
            process.stop(STOP.get(name, signal.SIGTERM), timeout=30.0)
        self.state.ended(name)

    def status(self) -> list[Row]:
        reap()
        recorded = self.state.read("ports.json") or {}
        return [self._row(name, recorded.get(name)) for name in SERVERS]

    def _row(self, name: str, port: int | None) -> Row:
        process = self.state.process(name)
        if process is None or port is None:
            return Row(name, "stopped", None, port)
        healthy = name in ("postgres", "nats") or Program(name, (), {}, port).ready()
        return Row(name, "ready" if healthy else "starting", process.pid, port)
