"""The one command line, composed of the `cli` modules of `deploy.local` and of the services.

Such a module has a typer `app`, and imports what is heavy inside its commands: all of them are
loaded for any command.
"""

import os
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pkgutil import iter_modules

import typer

ROOT = "services"
FIRST = "deploy.local"


class Failure(Exception):
    """What a command cannot do; one line for the person who typed it, exit 2."""


def _packages() -> Iterator[str]:
    yield FIRST
    for module in iter_modules(import_module(ROOT).__path__):
        yield f"{ROOT}.{module.name}"


def build() -> typer.Typer:
    app = typer.Typer(
        name="kawal",
        help="Election logistics, every hand-over accounted for.",
        no_args_is_help=True,
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
    """Runs a command: a Failure is one line on stderr and exit 2, Ctrl-C is exit 130."""
    try:
        build()()
    except Failure as failure:
        print(f"kawal: {failure}", file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:
        # The reader of our output left (`kawal logs | head`); Python must not complain at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
