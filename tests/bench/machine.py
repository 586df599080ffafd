"""The machine that the figures come from, in one line."""

import os
import platform
import subprocess
from pathlib import Path

from shared.testing.nats import binary as nats_server
from shared.testing.postgres import binary


def describe(folder: Path) -> str:
    """Processor, cores, memory, disk under `folder`, kernel, and the versions of the servers."""
    return ", ".join(
        (
            f"{_processor()}, {len(os.sched_getaffinity(0))} cores",
            f"{_memory()} GB of memory",
            f"disk {_disk(folder)}",
            f"Linux {platform.release()}",
            _version(binary("postgres")).replace("postgres (PostgreSQL)", "Postgres"),
            _version(nats_server()).replace("nats-server: v", "NATS "),
            f"Python {platform.python_version()}",
        )
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _memory() -> int:
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3)


def _disk(folder: Path) -> str:
    """The device's model if the kernel knows one, and the file system."""
    device = folder.stat().st_dev
    block = Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}").resolve()
    for place in (block, block.parent):
        if (place / "device" / "model").exists():
            return f"{(place / 'device' / 'model').read_text().strip()} ({_file_system(folder)})"
    return f"{block.name} ({_file_system(folder)})" if block.exists() else _file_system(folder)


def _file_system(folder: Path) -> str:
    mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    above = [(len(point), kind) for _, point, kind, *_ in mounts if folder.is_relative_to(point)]
    return max(above)[1]


def _version(program: Path) -> str:
    done = subprocess.run((program, "--version"), capture_output=True, text=True, check=True)
    return done.stdout.strip()
