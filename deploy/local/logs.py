"""The logs of a local stack's servers."""

import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from deploy.local.program import SERVERS
from deploy.local.state import State
from shared.cli.app import Failure


def log_of(state: State, name: str) -> Path:
    if name in ("postgres", "nats"):
        return state.folder / name / f"{name}.log"
    return state.log(name)


def show(state: State, name: str | None, lines: int, follow: bool) -> None:
    """Prints the last lines of one log or of all; goes on as they grow, if asked."""
    if name is not None and name not in SERVERS:
        raise Failure(f"there is no server {name}: one of {', '.join(SERVERS)}")
    names = [name] if name else list(SERVERS)
    ends = {each: _tail(log_of(state, each), each, lines, bool(name)) for each in names}
    while follow:
        time.sleep(0.3)
        for each, end in ends.items():
            ends[each] = _grown(log_of(state, each), each, end, bool(name))


def _tail(log: Path, name: str, lines: int, alone: bool) -> int:
    if not log.exists():
        return 0
    with log.open(errors="replace") as file:
        _print(deque(file, lines), name, alone)
        return file.tell()


def _grown(log: Path, name: str, end: int, alone: bool) -> int:
    if not log.exists() or log.stat().st_size == end:
        return end
    with log.open(errors="replace") as file:
        file.seek(end if log.stat().st_size > end else 0)
        _print(file, name, alone)
        return file.tell()


def _print(lines: Iterator[str] | deque[str], name: str, alone: bool) -> None:
    for line in lines:
        print(line.rstrip("\n") if alone else f"{name:<10} {line.rstrip()}", flush=True)
