"""One demo for all of these tests: played once, then looked at from every side."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from demo_stack import OWNERS, Stack
from span_collector import Spans, collecting

SCOPE = "31.01"


@pytest.fixture(scope="package")
def spans() -> Iterator[Spans]:
    """What the demo's services say over OTLP/HTTP."""
    with collecting() as collected:
        yield collected


@pytest.fixture(scope="package")
def demo(tmp_path_factory: pytest.TempPathFactory, spans: Spans) -> Iterator[Stack]:
    """The stack of `make demo SCOPE=31.01`, which is over; it stays up until Ctrl-C."""
    settings = {"KAWAL_OTLP_ENDPOINT": spans.endpoint, "OTEL_BSP_SCHEDULE_DELAY": "250"}
    stack = Stack(tmp_path_factory.mktemp("demo") / "state", settings)
    with stack.playing(f"SCOPE={SCOPE}"):
        yield stack


@pytest.fixture(scope="package")
def figures(demo: Stack) -> dict[str, Any]:
    return demo.figures()


@pytest.fixture(scope="package")
def logs(demo: Stack) -> dict[str, list[dict[str, Any]]]:
    """The events of every owner, read over HTTP."""
    return {owner: demo.events(owner) for owner in OWNERS}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def stack(folder: Path) -> Iterator[Stack]:
    """A stack that is not started yet; whatever happens, it ends with the test."""
    made = Stack(folder)
    yield made
    made.kawal("down")
