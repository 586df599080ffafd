"""Which ports a stack listens on.

The default is 8400 plus a number for each server; KAWAL_PORT_BASE moves all of them,
KAWAL_PORT_<NAME> one. Where another stack of ours has the default ports, the next hundred is tried:
8500, 8600, ... A port that any other program has is an error that names it.
"""

import http.client
import json
from collections.abc import Iterable, Mapping

from shared.cli.app import Failure
from shared.testing.process import LOOPBACK, port_is_free, wait_until

OFFSETS = {
    "issuer": 0,
    "inventory": 1,
    "custody": 2,
    "exchange": 3,
    "console": 4,
    "nats": 22,
    "nats_monitor": 23,
    "postgres": 32,
}
BASE = 8400
STEP = 100
STACKS = 20
DYING = 3.0

Ports = dict[str, int]


def choose(environment: Mapping[str, str]) -> Ports:
    """Free ports for a stack of which nothing runs. Raises Failure, naming the port in the way."""
    explicit = "KAWAL_PORT_BASE" in environment
    first = _number(environment, "KAWAL_PORT_BASE", BASE)
    for base in range(first, first + 1 if explicit else first + STEP * STACKS, STEP):
        ports = at(base, environment)
        busy = _busy(ports, ports)
        if not busy:
            return ports
        if explicit or not _is_stack(ports["issuer"]):
            raise _in_use(busy[0], ports)
    raise Failure(f"{STACKS} stacks run already: set KAWAL_PORT_BASE")


def at(base: int, environment: Mapping[str, str]) -> Ports:
    ports = {
        name: _number(environment, f"KAWAL_PORT_{name.upper()}", base + offset)
        for name, offset in OFFSETS.items()
    }
    for name, port in ports.items():
        same = [other for other in ports if ports[other] == port]
        if len(same) > 1:
            raise Failure(f"port {port} is given to {' and '.join(same)}: set another for {name}")
    return ports


def keep(recorded: Ports, environment: Mapping[str, str], stopped: Iterable[str]) -> Ports:
    """The ports of a stack of which something runs: unchanged, and free where a server stopped."""
    wanted = at(_number(environment, "KAWAL_PORT_BASE", recorded["issuer"]), environment)
    asked = [name for name in OFFSETS if f"KAWAL_PORT_{name.upper()}" in environment]
    if "KAWAL_PORT_BASE" in environment:
        asked = list(OFFSETS)
    if any(wanted[name] != recorded[name] for name in asked):
        raise Failure("the stack runs on other ports: make down first")
    # What was killed a moment ago may still hold its port, until its last thread has ended.
    wait_until(lambda: not _busy(recorded, stopped), DYING, every=0.1)
    for name in _busy(recorded, stopped):
        raise _in_use(name, recorded)
    return recorded


def _busy(ports: Ports, names: Iterable[str]) -> list[str]:
    return [name for name in names if not port_is_free(ports[name])]


def _in_use(name: str, ports: Ports) -> Failure:
    return Failure(
        f"port {ports[name]} ({name}) is in use by another program; "
        f"set KAWAL_PORT_{name.upper()} for another, or KAWAL_PORT_BASE to move all"
    )


def _number(environment: Mapping[str, str], variable: str, default: int) -> int:
    text = environment.get(variable) or str(default)
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65535:
        raise Failure(f"{variable}={text} is not a port (1-65535)")
    return int(text)


def _is_stack(port: int) -> bool:
    """Whether the issuer of a stack of ours answers there."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=2)
    try:
        connection.request("GET", "/stack")
        return "kawal" in json.loads(connection.getresponse().read(1_000))
    except (OSError, ValueError, http.client.HTTPException):
        return False
    finally:
        connection.close()
