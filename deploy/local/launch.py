"""Starts several services from one process that has loaded what they share.

Loading FastAPI, nats-py, asyncpg, OpenTelemetry and ourselves takes a second and more, which four
services on two cores would each pay. Here it is paid once, while Postgres starts; each service is a
fork, which loads only its own modules. In containers each is a process of its own from the start.

`python -m deploy.local.launch` reads a list of orders, one line of JSON, forks and answers with
one line: {name: pid}.
"""

import gc
import json
import os
import runpy
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Self

from setproctitle import setproctitle

from shared.testing.process import ProcessId, StartFailed, last_line

SHARED = ("shared.runtime", "shared.serving")


@dataclass(frozen=True, slots=True)
class Order:
    """A module to run as a program, all that it is told, and where its output goes."""

    name: str
    module: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    log: str


class Launcher:
    """A process that loads what the services share; `start` makes it services, once."""

    def __init__(self, root: Path, environment: Mapping[str, str], log: Path) -> None:
        self._log = log
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                (sys.executable, "-m", "deploy.local.launch"),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                cwd=root,
                env=dict(environment),
                text=True,
            )

    def start(self, orders: Sequence[Order]) -> dict[str, ProcessId]:
        """The started services; one that ended at once is missing."""
        text = json.dumps([asdict(order) for order in orders])
        answer, _ = self._process.communicate(text + "\n")
        if self._process.returncode:
            raise StartFailed(f"the services were not launched: {last_line(self._log)}")
        pids = json.loads(answer)
        found = {name: ProcessId.of(pid) for name, pid in pids.items()}
        return {name: process for name, process in found.items() if process is not None}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Ends a launcher that was not used; one that was has ended."""
        self._process.kill()
        self._process.communicate()


def main() -> None:
    for module in SHARED:
        # What is wrong with a module is said by the service that needs it, in its own log.
        with suppress(Exception):
            import_module(module)
    orders = [Order(**order) for order in json.loads(sys.stdin.readline())]
    gc.freeze()
    pids = {}
    for order in orders:
        pid = os.fork()
        if pid == 0:
            _become(order)
            return
        pids[order.name] = pid
    print(json.dumps(pids))


def _become(order: Order) -> None:
    os.setsid()
    log = os.open(order.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    # `ps` and `pgrep -f` show the service; the title is written where the environment is found.
    setproctitle(f"python -m {shlex.join((order.module, *order.arguments))}")
    os.environ.clear()
    os.environ.update(order.environment)
    sys.argv[1:] = order.arguments
    runpy.run_module(order.module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
