"""The one command line, composed of the `cli` modules of `deploy.local`, `shared.web`, the
services, and the bench.

Such a module has a typer `app`, and imports what is heavy inside its commands: all of them are
loaded for any command.
"""

import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pkgutil import iter_modules

import typer
from typer.exceptions import TyperException

ROOT = "services"
FIRST = ("deploy.local", "shared.web")
LAST = "tests.bench"
"""Only a checkout has it, an image has not."""


class Failure(Exception):
    """What a command cannot do; one line for the person who typed it, exit 2."""


def _packages() -> Iterator[str]:
    yield from FIRST
    for module in iter_modules(import_module(ROOT).__path__):
        yield f"{ROOT}.{module.name}"
    if find_spec("tests"):
        yield LAST


def build() -> typer.Typer:
    app = typer.Typer(
        name="kawal",
        help="Election logistics, every hand-over accounted for.",
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    app.callback()(_root)
    for package in _packages():
        if find_spec(f"{package}.cli"):
            app.add_typer(import_module(f"{package}.cli").app)
    return app


def _root() -> None:
    """A callback keeps the commands' names even if there is only one."""


def main() -> None:
    """Runs a command. What cannot be done, and wrong usage, are one line on stderr and exit 2."""
    arguments = sys.argv[1:] or ["--help"]
    try:
        sys.exit(build()(arguments, prog_name="kawal", standalone_mode=False))
    except (Failure, TyperException) as failure:
        said = failure.format_message() if isinstance(failure, TyperException) else failure
        print(f"kawal: {said}", file=sys.stderr)
        sys.exit(2)
    except (KeyboardInterrupt, typer.Abort):
        sys.exit(130)
