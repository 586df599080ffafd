"""The national read model asked through the API: a box by its id, a kelurahan's boxes."""

import http.client
import random
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from services.simulator import world
from shared.testing.process import LOOPBACK
from tests.bench.national.plan import Plan, kinds_of

ASKERS = 2
WARM = 50
"""Requests before those that count, while the service opens its connections."""
PAGE = 1_000
"""Boxes of a kelurahan asked for at once: all of nearly every one."""

Path = Callable[[random.Random], str]


def measure(plan: Plan, port: int, token: str, requests: int, seed: int = 1) -> dict[str, object]:
    """Milliseconds as the asker sees them, at random places of the country."""
    inhabited = [each for each in plan.kelurahan if each.stations]

    def box(draw: random.Random) -> str:
        kelurahan = draw.choice(inhabited)
        tps = f"{kelurahan.code}-{draw.choice(kelurahan.numbers):03}"
        return f"/units/{world.box(tps, draw.choice(kinds_of(kelurahan.code)))}"

    def boxes(draw: random.Random) -> str:
        return f"/units?region={draw.choice(inhabited).code}&limit={PAGE}"

    return {
        "box by id": _asked(port, token, box, requests, seed),
        "boxes of a kelurahan": _asked(port, token, boxes, requests, seed),
    }


def _asked(port: int, token: str, path: Path, requests: int, seed: int) -> dict[str, float]:
    each = requests // ASKERS
    with ThreadPoolExecutor(ASKERS) as pool:
        asked = pool.map(lambda n: _ask(port, token, path, each, seed + n), range(ASKERS))
        times = sorted(seconds for one in asked for seconds in one)
    return {
        "requests": len(times),
        "askers": ASKERS,
        "p50_ms": _at(times, 0.50),
        "p99_ms": _at(times, 0.99),
        "max_ms": _at(times, 1.0),
    }


def _ask(port: int, token: str, path: Path, count: int, seed: int) -> list[float]:
    draw = random.Random(seed)
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=60)
    headers = {"authorization": f"Bearer {token}"}
    times = []
    try:
        for number in range(-WARM, count):
            wanted = path(draw)
            start = time.perf_counter()
            connection.request("GET", wanted, headers=headers)
            answer = connection.getresponse()
            body = answer.read()
            taken = time.perf_counter() - start
            if answer.status != 200 or b"BOX-" not in body:
                raise RuntimeError(f"GET {wanted}: {answer.status} {body[:300]!r}")
            if number >= 0:
                times.append(taken)
    finally:
        connection.close()
    return times


def _at(times: Sequence[float], share: float) -> float:
    """The time that `share` of the requests did not exceed."""
    return round(times[max(0, -(-int(share * 1000) * len(times) // 1000) - 1)] * 1000, 2)
