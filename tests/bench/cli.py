"""`kawal bench`: what Kawal does per second, and what others do beside it."""

import signal
from pathlib import Path
from typing import Annotated

import typer

from shared.cli.app import Failure

app = typer.Typer()

ROOT = Path(__file__).resolve().parents[2]


@app.command()
def bench(
    names: Annotated[list[str] | None, typer.Argument(help="Rows; all by default.")] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Of each contender, interleaved.")] = 5,
    seconds: Annotated[float, typer.Option(min=0.1, help="Length of one sample.")] = 3.0,
    as_json: Annotated[bool, typer.Option("--json", help="The entries, on stdout.")] = False,
    listed: Annotated[bool, typer.Option("--list", help="Say which rows there are.")] = False,
    readme: Annotated[bool, typer.Option("--readme", help="Only write its table anew.")] = False,
    state: Annotated[
        Path, typer.Option("--state", envvar="STATE", help="Where all it makes is kept.")
    ] = Path(".kawal"),
) -> None:
    """Measure Kawal beside its peers; the results are in STATE/bench/summary.json."""
    from tests.bench.rows import NAMES, load

    unknown = [name for name in names or () if name not in NAMES]
    if unknown:
        raise Failure(f"there is no row {unknown[0]}: {', '.join(NAMES)}")
    rows = [load(name) for name in names or NAMES]
    if listed:
        for row in rows:
            typer.echo(f"{row.name:<14} {row.seconds:>4} s  {row.title}")
        typer.echo(f"{'all':<14} {sum(row.seconds for row in rows):>4} s")
        return
    from tests.bench.run import run, write_readme

    folder = state.expanduser().absolute() / "bench"
    for stop in (signal.SIGTERM, signal.SIGINT):  # a shell ignores SIGINT for what it runs behind
        signal.signal(stop, signal.default_int_handler)
    if not readme:
        run(rows, folder, rounds, seconds, as_json)
    if readme or not names:
        write_readme(ROOT / "README.md", folder)


@app.command("bench-national")
def bench_national(
    file: Annotated[Path, typer.Argument(help="Polling stations per kelurahan, a CSV file.")],
    scope: Annotated[str, typer.Option(help="Codes of regions, with commas; all by default.")] = "",
    requests: Annotated[int, typer.Option(min=2, help="Queries of each kind.")] = 2_000,
    state: Annotated[
        Path, typer.Option("--state", envvar="STATE", help="Where all it makes is kept.")
    ] = Path(".kawal"),
) -> None:
    """Load a whole country, project it, ask for it; the result is in STATE/bench/national.json."""
    from tests.bench.national.run import run

    codes = tuple(part.strip() for part in scope.split(",") if part.strip())
    run(file, state.expanduser().absolute() / "national", codes, requests)
