"""The README's commands do what it says: each block fenced as `sh` is run, in order, in one shell.

Blocks without `sh` (the two commands, pictures) are not run here: other tests run those commands.
"""

import re
import subprocess
from pathlib import Path

import pytest
from demo_stack import PATIENCE, Stack

from deploy.local.program import ROOT

README = ROOT / "README.md"
FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TABLE_COMMANDS = re.compile(r"`make (\w+)")


def blocks(text: str, language: str = "sh") -> list[str]:
    return [block for found, block in FENCED.findall(text) if found == language]


def script(text: str) -> str:
    """Every block, each announced, so that a failure says where it was."""
    parts = blocks(text)
    return "\n".join(f"echo '=== block {i}'\n{part}" for i, part in enumerate(parts, start=1))


def run(stack: Stack, text: str) -> subprocess.CompletedProcess[str]:
    """`-e`: the first command that fails ends it; `-x`: its trace says which that was."""
    return subprocess.run(
        ("bash", "-e", "-u", "-x", "-c", script(text)),
        cwd=ROOT,
        env=stack.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def test_only_blocks_fenced_as_sh_are_run() -> None:
    text = "```\nfalse\n```\n\n```sh\na=1\n```\nthen\n```sh\necho $a\n```\n"
    assert blocks(text) == ["a=1\n", "echo $a\n"]


def test_the_tours_commands_run_on_a_demo(demo: Stack) -> None:
    text = README.read_text()
    done = run(demo, text)
    assert done.returncode == 0, done.stdout[-1500:] + done.stderr[-2500:]
    assert done.stdout.count("=== block") == len(blocks(text)) > 0
    assert "Traceback" not in done.stderr


def test_the_tours_commands_run_on_a_stack_without_data(stack: Stack) -> None:
    assert stack.make("up").returncode == 0
    done = run(stack, README.read_text())
    assert done.returncode == 0, done.stdout[-1500:] + done.stderr[-2500:]


def test_every_make_target_that_the_readme_names_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(TABLE_COMMANDS.findall(README.read_text()))
    assert named and named <= targets


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#:]+)\)", README.read_text()))))
def test_every_file_that_the_readme_links_to_exists(link: str) -> None:
    assert (README.parent / Path(link)).exists()
