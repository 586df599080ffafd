"""A whole stack of a test's own: its folder, its ports, its commands, its APIs."""

import json
import os
import random
import signal
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from deploy.local.ports import OFFSETS
from deploy.local.program import ROOT, SERVICES
from deploy.local.state import State
from deploy.local.tokens import for_stack
from shared.testing.process import LOOPBACK, port_is_free

OWNERS = ("inventory", "custody", "exchange")
OURS = ("KAWAL_", "MAKE", "MFLAGS", "STATE", "SCOPE", "ONCE", "SEED", "MISHAPS", "TPS_FILE")
PATIENCE = 90
READER = {"agency": "KPU", "roles": ("supervisor", "auditor", "registrar", "operator", "admin")}


def free_base() -> int:
    """The start of a range of ports that nobody listens on, below the ephemeral ones."""
    while True:
        base = random.randrange(10_000, 30_000, 50)
        if all(port_is_free(base + offset) for offset in OFFSETS.values()):
            return base


@dataclass
class Stack:
    """`settings` are environment variables for the servers."""

    folder: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    base: int = field(default_factory=free_base)

    @property
    def environment(self) -> dict[str, str]:
        """Ours, without what the caller of these tests set for a stack of their own."""
        kept = {key: text for key, text in os.environ.items() if not key.startswith(OURS)}
        own = {"STATE": str(self.folder), "KAWAL_PORT_BASE": str(self.base)}
        return kept | own | dict(self.settings)

    def kawal(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.run(sys.executable, "-m", "shared.cli", *arguments)

    def make(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.run("make", "--no-print-directory", *arguments)

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def demo(self, *options: str) -> dict[str, Any]:
        """The figures of `make demo ONCE=1`, which must be clean."""
        done = self.make("demo", "ONCE=1", *options)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        return self.figures()

    def figures(self) -> dict[str, Any]:
        return json.loads((self.folder / "demo.json").read_text())

    @contextmanager
    def playing(self, *options: str) -> Iterator[None]:
        """`make demo` at its end, with the stack still up; Ctrl-C afterwards."""
        with self.output.open("w") as file:
            process = subprocess.Popen(
                ("make", "--no-print-directory", "demo", *options),
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self._await_end(process)
            yield
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGINT)
            process.wait(PATIENCE)

    def _await_end(self, process: "subprocess.Popen[bytes]") -> None:
        deadline = time.monotonic() + PATIENCE
        while "Ctrl-C" not in self.output.read_text():
            if process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(self.output.read_text()[-3000:])
            time.sleep(0.1)

    @property
    def output(self) -> Path:
        """What `playing` printed."""
        return self.folder.parent / f"{self.folder.name}.out"

    @cached_property
    def state(self) -> State:
        return State.at(self.folder)

    def url(self, service: str) -> str:
        return f"http://{LOOPBACK}:{self.base + OFFSETS[service]}"

    @property
    def urls(self) -> dict[str, str]:
        return {service: self.url(service) for service in SERVICES}

    @property
    def nats_url(self) -> str:
        return f"nats://{LOOPBACK}:{self.base + OFFSETS['nats']}"

    @cached_property
    def token(self) -> str:
        return for_stack(self.state)(person="p-acceptance", regions=["31"], **READER)

    def fetch(self, service: str, path: str, headers: Mapping[str, str] | None = None) -> bytes:
        request = urllib.request.Request(self.url(service) + path, headers=dict(headers or {}))
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.read()

    def get(self, service: str, path: str, **query: Any) -> Any:
        query_string = f"?{urllib.parse.urlencode(query)}" if query else ""
        headers = {"Authorization": f"Bearer {self.token}"}
        return json.loads(self.fetch(service, path + query_string, headers))

    def post(self, service: str, command: str, body: Any, **headers: str) -> Any:
        request = urllib.request.Request(
            f"{self.url(service)}/commands/{command}",
            json.dumps(body).encode(),
            {
                "Authorization": f"Bearer {self.token}",
                "Content-Type": "application/json",
                "Idempotency-Key": f"acceptance-{command}",
                **headers,
            },
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def events(self, service: str) -> list[dict[str, Any]]:
        """The whole log."""
        found: list[dict[str, Any]] = []
        while page := self.get(service, "/events", after=len(found), limit=1000)["events"]:
            found += page
        return found
