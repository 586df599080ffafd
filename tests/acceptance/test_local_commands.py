"""`make up`, `status`, `logs` and `down` with the real services: as often as one likes."""

import json
from pathlib import Path
from typing import Any

import psutil
from demo_stack import Stack

from deploy.local.program import SERVERS, SERVICES


def states(stack: Stack) -> dict[str, str]:
    rows = stack.make("status").stdout.splitlines()
    return {row.split()[0]: row.split()[1] for row in rows if row.split()[0] in SERVERS}


def pids(stack: Stack) -> dict[str, Any]:
    return {name: stack.state.process(name) for name in SERVERS}


def test_up_status_logs_and_down_may_be_repeated(stack: Stack) -> None:
    first = stack.make("up")
    assert first.returncode == 0, first.stderr
    for service in SERVICES:
        assert f"{service:<10} {stack.url(service)}" in first.stdout
    assert states(stack) == dict.fromkeys(SERVERS, "ready")
    before = pids(stack)

    second = stack.make("up")
    assert second.returncode == 0 and "starting" not in second.stdout
    assert pids(stack) == before and None not in before.values()

    everything = stack.make("logs")
    assert everything.returncode == 0
    assert {line.split()[0] for line in everything.stdout.splitlines()} >= set(SERVICES)
    one = stack.make("logs", "SERVICE=custody").stdout.splitlines()
    assert one and all(json.loads(line)["service"] == "custody" for line in one)

    for _ in range(2):
        assert stack.make("down").returncode == 0
        assert states(stack) == dict.fromkeys(SERVERS, "stopped")
    assert not [pid for pid in before.values() if pid.alive()]
    assert not _listening(stack)


def _listening(stack: Stack) -> set[int]:
    taken = set(stack.state.read("ports.json").values())
    connections = psutil.net_connections("inet")
    return {c.laddr.port for c in connections if c.status == psutil.CONN_LISTEN} & taken


def test_what_does_not_run_is_said_and_is_no_crash(stack: Stack) -> None:
    status = stack.kawal("status")
    assert status.returncode == 1 and status.stdout.count("stopped") == len(SERVERS)
    assert stack.kawal("down").returncode == 0
    for command in (["token", "--role", "operator", "--region", "31"], ["url", "custody"]):
        done = stack.kawal(*command)
        assert done.returncode == 2 and done.stderr.startswith("kawal: "), done.stderr
        assert done.stderr.count("\n") == 1


def test_two_stacks_keep_apart_what_they_hold(demo: Stack, stack: Stack, tmp_path: Path) -> None:
    """One that was played, and an empty one beside it."""
    played = demo.get("custody", "/positions")["store"]
    assert stack.kawal("up").returncode == 0
    assert set(stack.state.read("ports.json").values()).isdisjoint(
        demo.state.read("ports.json").values()
    )
    assert stack.get("custody", "/summary")["units"] == 0
    assert stack.get("custody", "/positions")["store"] == 0
    refused = stack.run("curl", "-s", "-H", f"Authorization: Bearer {demo.token}",
                        f"{stack.url('custody')}/summary")  # fmt: skip
    assert json.loads(refused.stdout)["status"] == 401
    assert stack.kawal("down").returncode == 0
    assert demo.get("custody", "/positions")["store"] == played
    assert all(each is not None for each in pids(demo).values())
