"""`kawal import official` and `kawal import tps`: imports from the command line."""

import json
import os
import uuid
from pathlib import Path
from typing import Annotated, Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import typer

from shared.cli.app import Failure

TIMEOUT = 300

app = typer.Typer()
imports = typer.Typer(no_args_is_help=True, help="Import polling stations into inventory.")
app.add_typer(imports, name="import")

Url = Annotated[str, typer.Option(envvar="KAWAL_INVENTORY_URL", help="Where inventory answers.")]
Token = Annotated[
    str,
    typer.Option(envvar="KAWAL_TOKEN", help="Of an operator: `kawal token --role operator ...`."),
]
LOCAL = "http://127.0.0.1:8401"


@imports.callback()
def _group() -> None:
    """Keeps the name of a command even if there is only one."""


@imports.command()
def official(
    scope: Annotated[str, typer.Option(help="Codes of regions, with commas.")],
    token: Token,
    url: Url = LOCAL,
) -> None:
    """Register a scope from the official totals, apportioned to its kelurahan."""
    body = json.dumps({"scope": scope.split(",")}).encode()
    _report(_post(f"{url}/imports/official", body, "application/json", token))


@imports.command()
def tps(
    file: Annotated[Path, typer.Argument(help="CSV: kode, tps_reguler, tps_khusus, ...")],
    token: Token,
    scope: Annotated[str, typer.Option(help="Only these regions, with commas.")] = "",
    url: Url = LOCAL,
) -> None:
    """Register the polling stations that a file of real counts has."""
    try:
        body = file.read_bytes()
    except OSError as error:
        raise Failure(f"{file}: {os.strerror(error.errno or 0)}") from None
    query = f"?{urlencode({'scope': scope})}" if scope else ""
    _report(_post(f"{url}/imports/polling-stations{query}", body, "text/csv", token))


def _post(url: str, body: bytes, media: str, token: str) -> dict[str, Any]:
    headers = {
        "Authorization": f"Bearer {token}",
        "Content-Type": media,
        "Idempotency-Key": str(uuid.uuid4()),
    }
    try:
        with urlopen(Request(url, body, headers), timeout=TIMEOUT) as answer:
            return json.load(answer)
    except HTTPError as error:
        raise Failure(_refusal(error)) from None
    except (URLError, TimeoutError, ValueError) as error:
        raise Failure(f"{url}: {getattr(error, 'reason', error)}") from None


def _refusal(error: HTTPError) -> str:
    try:
        problem = json.load(error)
        return f"{problem['title']}: {problem['detail']}"
    except (ValueError, KeyError, TypeError):
        return f"{error.code} {error.reason}"


def _report(answer: dict[str, Any]) -> None:
    typer.echo(
        f"{answer['regions']} regions and {answer['polling_stations']} polling stations, "
        f"position {answer['position']}"
    )
