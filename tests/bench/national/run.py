"""`kawal bench-national`: a plan from the file, the servers, the load, the queries, the report."""

import asyncio
import contextlib
import shutil
import signal
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import asyncpg
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from deploy.local.state import State
from shared.cli.app import Failure
from shared.eventstore import EventStore
from tests.bench.national import counts, queries
from tests.bench.national.gauge import size
from tests.bench.national.load import Load, Progress
from tests.bench.national.plan import SERVICES, Plan, plan
from tests.bench.national.report import GIGABYTE, Report
from tests.bench.national.stack import Stack
from tests.bench.national.watch import SQL, Watch

BYTES_PER_EVENT = 1_000
"""Of both logs, their indexes and read models."""
FIXED_BYTES = 8 * GIGABYTE
"""Write-ahead log and streams, when they are full; and some air."""
SMALL = 1_000_000
PATIENCE = 120.0
"""Seconds that an append waits for a database that is being started again."""
SETTLE = 300.0


def run(
    file: Path,
    folder: Path,
    scope: Sequence[str] = (),
    requests: int = 2_000,
) -> Report:
    """Loads what is missing, asks, reports; the servers are stopped, the data stays.

    Raises Failure: a wrong file, too small a disk, a folder that holds another plan.
    """
    console = Console()
    wanted = _plan(file, scope)
    state = State.at(folder)
    _check_folder(state, wanted)
    _check_disk(state, wanted)
    state.write("plan.json", {"identity": wanted.identity})
    report = Report(state.folder.parent / "bench" / "national.json", wanted)
    report.resume()
    for stop in (signal.SIGTERM, signal.SIGINT):
        signal.signal(stop, signal.default_int_handler)
    stack = Stack(state)
    try:
        stack.up(lambda line: console.print(line, highlight=False))
        asyncio.run(_load(wanted, stack, report, console))
        delivered = asyncio.run(_settled(stack))
        if delivered != wanted.boxes:
            raise Failure(f"the read model has {delivered:,} boxes, not {wanted.boxes:,}")
        console.print(f"asking {requests} times for a box, {requests} times for a kelurahan's")
        token, port = stack.token(), stack.ports["custody"]
        report.queries = queries.measure(wanted, port, token, requests)
        report.complete = True
        report.write()
    finally:
        stack.down(lambda _: None)
    report.show(console)
    return report


def _plan(file: Path, scope: Sequence[str]) -> Plan:
    kelurahan = counts.read(file)
    if scope:
        kelurahan = [k for k in kelurahan if any(f"{k.code}.".startswith(f"{s}.") for s in scope)]
    wanted = plan(kelurahan)
    if not wanted.stations:
        raise Failure(f"{file} has no polling station in {', '.join(scope) or 'it'}")
    return wanted


def _check_folder(state: State, wanted: Plan) -> None:
    kept = state.read("plan.json")
    if kept is not None and kept["identity"] != wanted.identity:
        raise Failure(
            f"{state.folder} holds the run of another file or scope: remove it, or name another"
        )
    if kept is None and (state.folder / "postgres").exists():
        raise Failure(f"{state.folder} is the folder of something else: name another")


def _check_disk(state: State, wanted: Plan) -> None:
    fixed = FIXED_BYTES * min(1.0, wanted.events / SMALL)
    needed = wanted.events * BYTES_PER_EVENT + fixed - size(state.folder)
    free = shutil.disk_usage(state.folder).free
    if free < needed:
        raise Failure(
            f"{wanted.events:,} events need {needed / GIGABYTE:.1f} GB more in {state.folder}, "
            f"{free / GIGABYTE:.1f} GB are free"
        )


async def _load(wanted: Plan, stack: Stack, report: Report, console: Console) -> None:
    progress = Progress()
    columns = (
        TextColumn("events"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[ahead]}"),
    )
    async with AsyncExitStack() as opened:
        bar = opened.enter_context(Bar(*columns, console=console))
        task = bar.add_task("events", total=wanted.events, ahead="")
        stores = {
            service: await opened.enter_async_context(
                await EventStore.open(stack.dsn(service), service=service, patience=PATIENCE)
            )
            for service in SERVICES
        }
        watch = Watch(wanted, stack, progress, (bar, task), report.note)
        await asyncio.gather(watch.run(), Load(wanted, stores, progress).run())


async def _settled(stack: Stack) -> int:
    """The delivered boxes in the read model, when the vacuums that the load has caused are over, or
    have taken `SETTLE` seconds."""
    connection = await asyncpg.connect(stack.dsn("custody"))
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SETTLE):
                while await SQL.vacuums(connection):
                    await asyncio.sleep(1)
        return await SQL.delivered(connection)
    finally:
        await connection.close()
