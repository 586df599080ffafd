"""The one folder in which a local stack keeps everything: data, passwords, ports, pids, logs."""

import fcntl
import hashlib
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.cli.app import Failure
from shared.testing.process import ProcessId


@dataclass(frozen=True, slots=True)
class State:
    """A stack's state folder; only its owner may look into it."""

    folder: Path

    @classmethod
    def at(cls, folder: Path) -> "State":
        """Raises Failure if the folder cannot be made or written."""
        folder = folder.absolute()
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for part in ("processes", "logs"):
                (folder / part).mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise Failure(f"the state folder {folder} cannot be used: {error.strerror}") from None
        return cls(folder)

    @property
    def mark(self) -> str:
        """Tells one stack from another, without telling where it lives."""
        return hashlib.sha256(str(self.folder).encode()).hexdigest()[:16]

    def log(self, name: str) -> Path:
        return self.folder / "logs" / f"{name}.log"

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Held while the stack is started or stopped, so that two commands do not do both."""
        with (self.folder / "lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def read(self, name: str) -> Any:
        """The content of a JSON file of ours; None if there is none, or only a torn one."""
        try:
            return json.loads((self.folder / name).read_text())
        except (OSError, ValueError):
            return None

    def write(self, name: str, content: Any) -> None:
        """Replaces a JSON file in one step, readable by its owner only."""
        path = self.folder / name
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(content, file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)

    def process(self, name: str) -> ProcessId | None:
        """The living process of that name; one that ended, or whose pid was reused, is None."""
        record = self.read(f"processes/{name}.json")
        process = ProcessId(record["pid"], record["started"]) if record else None
        return process if process is not None and process.alive() else None

    def started(self, name: str, process: ProcessId) -> None:
        self.write(f"processes/{name}.json", {"pid": process.pid, "started": process.started})

    def ended(self, name: str) -> None:
        (self.folder / "processes" / f"{name}.json").unlink(missing_ok=True)

    def passwords(self, names: Iterator[str] | list[str]) -> dict[str, str]:
        """A random password for each name, made once and kept."""
        kept: dict[str, str] = self.read("passwords.json") or {}
        missing = [name for name in names if name not in kept]
        if missing:
            kept |= {name: secrets.token_urlsafe(24) for name in missing}
            self.write("passwords.json", kept)
        return kept
