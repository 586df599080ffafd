"""What the run costs: processor time and memory by process, disk by kind."""

import contextlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from urllib.request import urlopen

import psutil

from shared.testing.process import LOOPBACK
from tests.bench.national.stack import CELL, SERVERS, Stack

MEGABYTE = 1024 * 1024
OURSELVES = "generator"


class Gauge:
    """Reads the meters of a stack and of this process; a process that began anew counts on."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._before: dict[str, tuple[int, float]] = {}
        self._seconds: dict[str, float] = {}

    def cpu(self) -> dict[str, float]:
        """Processor seconds of each server, and of us, since the first call."""
        for name, process in self._processes().items():
            with contextlib.suppress(psutil.Error):
                self._count(name, process)
        return dict(self._seconds)

    def _count(self, name: str, process: psutil.Process) -> None:
        used = _used(process) if name in SERVERS else sum(process.cpu_times()[:2])
        pid, before = self._before.get(name, (process.pid, used))
        self._seconds.setdefault(name, 0.0)
        self._seconds[name] += used - before if pid == process.pid else used
        self._before[name] = (process.pid, used)

    def memory(self) -> dict[str, float]:
        """Megabytes of each server; Postgres's backends share theirs, so their proportion."""
        found = {}
        for name, process in self._processes().items():
            with contextlib.suppress(psutil.Error):
                if name == "postgres":
                    found[name] = sum(map(_proportional, _family(process))) / MEGABYTE
                else:
                    found[name] = process.memory_info().rss / MEGABYTE
        return {name: round(size, 1) for name, size in found.items()}

    def disk(self) -> dict[str, int]:
        """Bytes of the databases, of the write-ahead log, of the streams."""
        data = self._stack.postgres.data
        wal = size(data / "pg_wal")
        return {"data": size(data) - wal, "wal": wal, "streams": size(self._stack.nats.store)}

    def relayed(self) -> dict[str, int]:
        """The last position on each service's stream."""
        port = self._stack.ports["nats_monitor"]
        with urlopen(f"http://{LOOPBACK}:{port}/jsz?accounts=1&streams=1", timeout=5) as answer:
            accounts = json.load(answer).get("account_details", ())
        streams = [stream for each in accounts for stream in each.get("stream_detail", ())]
        suffix = f"_{CELL}"
        return {
            stream["name"].removesuffix(suffix).lower(): stream["state"]["last_seq"]
            for stream in streams
        }

    def _processes(self) -> Mapping[str, psutil.Process]:
        found = {OURSELVES: psutil.Process(os.getpid())}
        for name in SERVERS:
            process = self._stack.state.process(name)
            with contextlib.suppress(psutil.Error):
                if process is not None:
                    found[name] = psutil.Process(process.pid)
        return found


def size(folder: Path) -> int:
    """Bytes on disk below a folder, whose files may come and go meanwhile."""
    total = 0
    for at, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(at, name)).st_blocks * 512
    return total


def _used(process: psutil.Process) -> float:
    """With its children, those that have ended too."""
    times = process.cpu_times()
    used = times.user + times.system + times.children_user + times.children_system
    for child in process.children(recursive=True):
        with contextlib.suppress(psutil.Error):
            its = child.cpu_times()
            used += its.user + its.system
    return used


def _family(process: psutil.Process) -> list[psutil.Process]:
    return [process, *process.children(recursive=True)]


def _proportional(process: psutil.Process) -> int:
    with contextlib.suppress(psutil.Error):
        return process.memory_full_info().pss
    return 0
