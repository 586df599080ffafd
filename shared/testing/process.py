"""Detached processes, known by pid and start time, so that a reused pid is never signalled."""

import ctypes
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

LOOPBACK = "127.0.0.1"
PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)


class StartFailed(Exception):
    """A server ended, or stayed silent, before it was ready; the message is one line."""


@dataclass(frozen=True, slots=True)
class ProcessId:
    """A process that is the same one only if its start time is the same too."""

    pid: int
    started: str

    @classmethod
    def of(cls, pid: int) -> "ProcessId | None":
        """The identity of a living process; None for one that ended (a zombie has ended)."""
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return None
        if fields[0] in "ZX":
            return None
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return cls(pid, f"{boot}:{fields[19]}")

    def alive(self) -> bool:
        return ProcessId.of(self.pid) == self

    def gone(self) -> bool:
        """Ended with all its threads, which hold its ports for a moment after a kill -9."""
        now = ProcessId.of(self.pid)
        if now is not None:
            return now != self
        try:
            return len(os.listdir(f"/proc/{self.pid}/task")) <= 1
        except OSError:
            return True

    def stop(self, how: signal.Signals = signal.SIGTERM, timeout: float = 10.0) -> bool:
        """Signals, waits, kills what is left after `timeout` seconds. True if it ended in time."""
        if not self.alive():
            return True
        os.kill(self.pid, how)
        if wait_until(self.gone, timeout):
            return True
        os.kill(self.pid, signal.SIGKILL)
        wait_until(self.gone, 5.0)
        return False


def wait_until(done: Callable[[], bool], timeout: float, every: float = 0.02) -> bool:
    deadline = time.monotonic() + timeout
    while not done():
        if time.monotonic() > deadline:
            return False
        time.sleep(every)
    return True


def spawn(
    command: Sequence[str | Path],
    log: Path,
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    attached: bool = False,
) -> ProcessId:
    """Starts a process in a session of its own, which outlives us; `log` gets its output.

    An attached one is interrupted when the thread that started it ends, even by a kill -9.
    """
    with log.open("ab") as output:
        child = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            env=dict(env) if env is not None else None,
            start_new_session=True,
            preexec_fn=interrupt_with_parent if attached else None,
        )
    identity = ProcessId.of(child.pid)
    if identity is None:
        raise StartFailed(f"{Path(command[0]).name} ended at once: {last_line(log)}")
    _children.append(child)
    return identity


def interrupt_with_parent() -> None:
    """To be called in a child before its program: its parent's end interrupts it."""
    _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGINT)


# Kept so that Popen's finalizer does not warn; `reap` collects the ended ones.
_children: list[subprocess.Popen[bytes]] = []


def reap() -> None:
    _children[:] = [child for child in _children if child.poll() is None]


def last_line(log: Path) -> str:
    """The line of a log that says best why a server ended: the last fatal one, or else the last."""
    try:
        lines = log.read_text(errors="replace").strip().splitlines()
    except OSError:
        return f"no log at {log}"
    fatal = [line for line in lines[-20:] if "FATAL" in line or "[FTL]" in line]
    return (fatal or lines or ["it said nothing"])[-1]


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def port_is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True
