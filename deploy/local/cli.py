"""`kawal up`, `down`, `status`, `logs`, `token`, `migrate`: the local stack's commands."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from shared.cli.app import Failure

if TYPE_CHECKING:
    from deploy.local.state import State
    from deploy.local.supervisor import Supervisor

app = typer.Typer()

StateOption = Annotated[
    Path, typer.Option("--state", envvar="STATE", help="Where the stack keeps all it has.")
]
DEFAULT = Path(".kawal")


@app.command()
def up(state: StateOption = DEFAULT) -> None:
    """Start what does not run of the local stack, wait until it is healthy, print the URLs."""
    urls = _supervisor(state).up(typer.echo)
    for name, url in urls.items():
        typer.echo(f"{name:<10} {url}")


@app.command()
def down(state: StateOption = DEFAULT) -> None:
    """Stop the local stack; its data stays."""
    _supervisor(state).down(typer.echo)


@app.command()
def status(state: StateOption = DEFAULT) -> None:
    """What runs and on which port; exit 1 unless all of it is ready."""
    rows = _supervisor(state).status()
    for row in rows:
        typer.echo(
            f"{row.name:<10} {row.state:<9} port {row.port or '-'!s:<6} pid {row.pid or '-'}"
        )
    if any(row.state != "ready" for row in rows):
        raise typer.Exit(1)


@app.command()
def logs(
    service: Annotated[str | None, typer.Argument(help="One server; all by default.")] = None,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="Of each log.")] = 20,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Until Ctrl-C.")] = False,
    state: StateOption = DEFAULT,
) -> None:
    """The last lines of the logs."""
    from deploy.local.logs import show

    show(_state(state), service, lines, follow)


@app.command()
def token(
    role: Annotated[list[str], typer.Option(help="May be given more than once.")],
    region: Annotated[list[str], typer.Option(help='A region\'s code, or "*"; several too.')],
    agency: Annotated[str, typer.Option(help="For whom the person acts: KPU, PPK, ...")] = "KPU",
    person: Annotated[str, typer.Option(help="The person's id.")] = "developer",
    seconds: Annotated[int, typer.Option(min=1, help="How long the token is valid.")] = 3600,
    state: StateOption = DEFAULT,
) -> None:
    """A bearer token of the local stack's development issuer."""
    from deploy.local.tokens import for_stack

    signed = for_stack(_state(state))
    claims = {"person": person, "agency": agency, "roles": role, "regions": region}
    typer.echo(signed(**claims, seconds=seconds))


@app.command("agency-url")
def agency_url(
    agency: Annotated[str, typer.Argument(help="The agency's code.")], state: StateOption = DEFAULT
) -> None:
    """Where an agency's own NATS client connects, with its password."""
    from deploy.local.bus import agency_url

    typer.echo(agency_url(_state(state), agency))


@app.command("agency-listen")
def agency_listen(
    agency: Annotated[str, typer.Argument(help="The agency's code.")],
    count: Annotated[int, typer.Option(min=1, max=1000, help="How many messages.")] = 10,
    seconds: Annotated[float, typer.Option(min=0.1, help="How long to wait for them.")] = 5.0,
    state: StateOption = DEFAULT,
) -> None:
    """What an agency's own NATS client receives: its next messages, acknowledged."""
    import asyncio

    from deploy.local.bus import agency_url
    from deploy.local.listen import listen

    asyncio.run(listen(agency_url(_state(state), agency), count, seconds))


@app.command("webhook-listen")
def webhook_listen(
    agency: Annotated[str, typer.Argument(help="The agency's code.")],
    count: Annotated[int, typer.Option(min=1, max=1000, help="How many facts.")] = 10,
    seconds: Annotated[float, typer.Option(min=0.1, help="How long to wait for them.")] = 5.0,
    state: StateOption = DEFAULT,
) -> None:
    """What an agency's own web server receives: an endpoint for so long, from the first fact on."""
    import asyncio

    from deploy.local.hook import try_out
    from deploy.local.tokens import for_stack

    claims = {"person": "developer", "agency": agency, "roles": ["agency"], "regions": ["*"]}
    token = for_stack(_state(state))(**claims, seconds=3600)
    asyncio.run(try_out(_url(state, "exchange"), token, agency, count, seconds))


@app.command()
def rebuild(
    service: Annotated[str, typer.Argument(help="inventory, custody, exchange or console.")],
    projection: Annotated[str, typer.Argument(help="As GET /projections names it.")],
    state: StateOption = DEFAULT,
) -> None:
    """Build a read model anew beside the live one; readers notice nothing."""
    import asyncio

    from rich.console import Console

    from deploy.local.rebuild import rebuild as run
    from deploy.local.tokens import for_stack

    claims = {"person": "admin", "agency": "KPU", "roles": ["admin"], "regions": ["*"]}
    token = for_stack(_state(state))(**claims, seconds=3600)
    asyncio.run(run(_url(state, service), token, projection, Console()))


@app.command()
def url(
    service: Annotated[str, typer.Argument(help="inventory, custody, exchange or console.")],
    state: StateOption = DEFAULT,
) -> None:
    """Where a service of the local stack listens."""
    typer.echo(_url(state, service))


@app.command()
def demo(
    scope: Annotated[str, typer.Option(help="Codes of regions, with commas.")] = "31.71",
    once: Annotated[bool, typer.Option("--once", help="Stop at the end; exit 0 if clean.")] = False,
    seed: Annotated[int, typer.Option(help="Chooses mishaps and shuffles.")] = 1,
    mishaps: Annotated[str | None, typer.Option(help='"none", or a JSON file of them.')] = None,
    tps_file: Annotated[Path | None, typer.Option(help="A CSV with real counts.")] = None,
    state: StateOption = DEFAULT,
) -> None:
    """Play a whole election's logistics on the local stack, then keep it up until Ctrl-C."""
    from rich.console import Console

    from deploy.local.demo import options, play

    asked = options(scope, seed, mishaps, tps_file)
    if not play(_state(state), asked, once, Console()):
        raise typer.Exit(1)


@app.command()
def migrate(
    service: Annotated[str, typer.Argument(envvar="KAWAL_SERVICE")],
    owner: Annotated[
        str, typer.Option(envvar="KAWAL_OWNER_DATABASE_URL", help="The owner's connection string.")
    ],
    app_role: Annotated[str, typer.Option(envvar="KAWAL_APP_ROLE", help="The working role.")],
) -> None:
    """Bring a service's database up to date (`up` does it for the local stack)."""
    import asyncio

    from deploy.local.program import SERVICES
    from deploy.migrate import migrate as apply

    if service not in SERVICES:
        raise Failure(f"there is no service {service}: {', '.join(SERVICES)}")
    for name in asyncio.run(apply(service, owner, app_role)):
        typer.echo(name)


@app.command()
def restored(
    service: Annotated[str, typer.Argument(help="inventory, custody or exchange.")],
    database_url: Annotated[
        str | None,
        typer.Option(envvar="KAWAL_DATABASE_URL", help="Of the service; the local stack's."),
    ] = None,
    state: StateOption = DEFAULT,
) -> None:
    """To be said once a service's database was restored from a backup: its readers begin anew."""
    import asyncio

    from deploy.local.restored import database_url as on_stack
    from deploy.local.restored import renew

    url = database_url or on_stack(_state(state), service)
    typer.echo(f"{service} continues as log {asyncio.run(renew(url, service))}")


def _state(folder: Path) -> "State":
    from deploy.local.state import State

    return State.at(Path(os.path.expanduser(folder)))


def _url(folder: Path, service: str) -> str:
    from deploy.local.program import SERVICES
    from shared.testing.process import LOOPBACK

    taken = _state(folder).read("ports.json")
    if taken is None or service not in SERVICES:
        raise Failure(f"there is no service {service} here: {', '.join(SERVICES)}, after make up")
    return f"http://{LOOPBACK}:{taken[service]}"


def _supervisor(folder: Path) -> "Supervisor":
    from deploy.local.supervisor import Supervisor

    return Supervisor(_state(folder))
