"""One run: load the field, play the stages in order, reconcile, write the report."""

import hashlib
import json
import time
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from rich.console import Console

from services.simulator import calendar, mishaps, report, world
from services.simulator.client import ADMIN, OPERATOR, Client, TokenFactory
from services.simulator.field import Field
from services.simulator.progress import Progress
from services.simulator.report import Report
from services.simulator.stages import STAGES


@dataclass(frozen=True, slots=True)
class Options:
    """`mishaps`: None for the seeded set, "none", or the path of a list."""

    scope: tuple[str, ...]
    seed: int = 1
    mishaps: str | None = None
    tps_file: Path | None = None

    @property
    def run(self) -> str:
        """What makes two runs the same: with it, every request of a run can be repeated."""
        parts = [",".join(self.scope), str(self.seed), self.mishaps or "seeded"]
        for path in (self.tps_file, Path(self.mishaps or "none")):
            if path is not None and path.is_file():
                parts.append(hashlib.sha256(path.read_bytes()).hexdigest())
        return hashlib.sha256("|".join(parts).encode()).hexdigest()[:16]


class Journal:
    """Which stages of this run are done, so that a run goes on where it stopped."""

    def __init__(self, path: Path, run: str) -> None:
        self._path = path
        state = json.loads(path.read_text()) if path.is_file() else {}
        self._state = state if state.get("run") == run else {"run": run, "done": {}}

    def seconds(self, stage: str) -> float | None:
        return self._state["done"].get(stage)

    def done(self, stage: str, seconds: float) -> None:
        self._state["done"][stage] = seconds
        self._path.write_text(json.dumps(self._state))

    @property
    def total(self) -> float:
        return sum(self._state["done"].values())


async def run(
    options: Options,
    urls: Mapping[str, str],
    tokens: TokenFactory,
    state: Path,
    console: Console,
) -> Report:
    """Play the operation and write `demo.json` into `state`."""
    journal = Journal(state / "demo-progress.json", options.run)
    client = Client(urls, tokens, options.run)
    try:
        with Progress(console) as progress:
            field = await _timed(journal, "load", _load(options, client, progress))
            for stage in STAGES:
                name = f"{stage.__module__}.{stage.__name__}"
                if journal.seconds(name) is None:
                    await _timed(journal, name, stage(field))
            result = await _reconcile(field, journal)
    finally:
        await client.close()
    (state / "demo.json").write_text(json.dumps(result.figures, indent=2) + "\n")
    return result


T = TypeVar("T")


async def _timed(journal: Journal, name: str, work: Awaitable[T]) -> T:
    started = time.monotonic()
    outcome = await work
    journal.done(name, (journal.seconds(name) or 0.0) + time.monotonic() - started)
    return outcome


async def _reconcile(field: Field, journal: Journal) -> Report:
    started = time.monotonic()
    field.progress.stage("reconciliation", 0)
    positions = await report.settle(field.client)
    seconds = journal.total + time.monotonic() - started
    return await report.reconcile(field, positions, seconds)


async def _load(options: Options, client: Client, progress: Progress) -> Field:
    """Import the scope, read it back, choose the mishaps."""
    advance = progress.stage("regions and polling stations", 3)
    empty = world.World(options.scope, options.seed, {})
    field = Field(client, empty, mishaps.Plan(()), progress)
    await field.clock(calendar.PREPARATION)
    await _import(options, client)
    advance(1)
    rows = []
    names: dict[str, str] = {}
    for code in options.scope:
        rows += await client.items("inventory", "/polling-stations", region=code, limit=2000)
        regions = await client.items("inventory", "/regions", region=code, limit=2000)
        names |= {region["region"]: region["name"] for region in regions}
    advance(1)
    field.world = world.build(options.scope, options.seed, rows, names)
    field.plan = _plan(options, field.world)
    await client.post("exchange", "/imports/directory", {}, ADMIN, "directory")
    advance(1)
    return field


async def _import(options: Options, client: Client) -> None:
    """Real counts where a file is given, the apportioned official totals otherwise."""
    if options.tps_file is not None:
        body = options.tps_file.read_bytes()
        scope = ",".join(options.scope)
        answer = await client.post(
            "inventory", "/imports/polling-stations", body, OPERATOR, "import", scope=scope
        )
    else:
        scope_body = {"scope": list(options.scope)}
        answer = await client.post("inventory", "/imports/official", scope_body, ADMIN, "import")
    at_least = f"inventory:{answer['position']}"
    await client.get("inventory", "/summary", at_least=at_least)


def _plan(options: Options, field_world: world.World) -> mishaps.Plan:
    if options.mishaps == "none":
        return mishaps.Plan(())
    if options.mishaps:
        return mishaps.load(Path(options.mishaps), field_world)
    return mishaps.choose(field_world, options.seed)
