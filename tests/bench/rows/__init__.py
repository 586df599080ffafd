"""The rows of the table, one module each, in the order in which they are run."""

from importlib import import_module

from tests.bench.row import Row

NAMES = (
    *("append-128", "append-few", "hand-over-400", "relay"),
    *("projection", "rebuild", "http", "visible", "memory"),
)


def load(name: str) -> Row:
    """The row of that name."""
    return import_module(f"tests.bench.rows.{name.replace('-', '_')}").ROW
