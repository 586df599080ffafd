"""A demo that nothing disturbed: what the others are compared with, and what they start from."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from stack import Stack, figures


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """A stack, stopped after a clean demo; tests work on copies of it."""
    with Stack(tmp_path_factory.mktemp("undisturbed")) as stack:
        stack.up()
        result = asyncio.run(stack.play())
        assert result.faults == ()
    return stack


@pytest.fixture(scope="session")
def expected(undisturbed: Stack) -> dict[str, Any]:
    """The figures of the demo that nothing disturbed."""
    return figures(undisturbed.state.read("demo.json"))


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    """A new, empty stack that runs."""
    with Stack(tmp_path / "state") as made:
        made.up()
        yield made


@pytest.fixture
def played(undisturbed: Stack, tmp_path: Path) -> Iterator[Stack]:
    """A stack after a clean demo; it does not run yet."""
    with undisturbed.copy(tmp_path / "state") as made:
        yield made
