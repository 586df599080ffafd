"""`kawal send`: a file of commands from the command line, to any service."""

import os
from pathlib import Path
from typing import Annotated

import typer

from shared.cli.app import Failure

app = typer.Typer()

LOCAL = {"inventory": 8401, "custody": 8402, "exchange": 8403}
"""Where the local stack's services listen if nothing else is said."""


@app.command()
def send(
    service: Annotated[str, typer.Argument(help="inventory, custody or exchange.")],
    file: Annotated[Path, typer.Argument(help="NDJSON: a command on each line. Or CSV.")],
    token: Annotated[str, typer.Option(envvar="KAWAL_TOKEN", help="From `kawal token ...`.")],
    command: Annotated[
        str, typer.Option(help="Of each row of a CSV, whose header names its fields.")
    ] = "",
    url: Annotated[str, typer.Option(help="Of the service; by default KAWAL_<SERVICE>_URL.")] = "",
    key: Annotated[
        str, typer.Option(help="Of the whole file; by default made from what is in it.")
    ] = "",
    report: Annotated[
        Path | None, typer.Option(help="Refused rows; by default FILE.refused.ndjson.")
    ] = None,
) -> None:
    """Send a file of commands; exit 1 if any was refused. What broke off is simply sent again."""
    import asyncio

    from shared.web.send import Sending, read

    rows = read(file, command)
    refused = report or file.with_name(f"{file.name}.refused.ndjson")
    sending = Sending(url or _url(service), token, key or rows.key, refused)
    outcome = asyncio.run(sending.send(rows))
    typer.echo(outcome.line(refused))
    if outcome.refused:
        raise typer.Exit(1)


def _url(service: str) -> str:
    if service not in LOCAL:
        raise Failure(f"there is no service {service}: {', '.join(LOCAL)}")
    port = LOCAL[service]
    return os.environ.get(f"KAWAL_{service.upper()}_URL") or f"http://127.0.0.1:{port}"
