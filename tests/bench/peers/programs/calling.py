"""Callers of a store: each sends its next command when the last one is answered."""

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Sequence
from statistics import quantiles
from time import monotonic, perf_counter, sleep

WARM_UP = 1.0

Taken = list[tuple[float, float]]
"""When each answer came, and how long it took; both in seconds."""


def in_threads(acts: Sequence[Callable[[], object]], seconds: float) -> dict[str, float]:
    """What `len(acts)` threads reach, each calling its own act again and again."""
    stop = threading.Event()
    taken: list[Taken] = [[] for _ in acts]
    errors: list[BaseException] = []

    def call(act: Callable[[], object], mine: Taken) -> None:
        try:
            while not stop.is_set():
                begun = perf_counter()
                act()
                ended = perf_counter()
                mine.append((ended, ended - begun))
        except BaseException as error:
            errors.append(error)
            stop.set()

    threads = [threading.Thread(target=call, args=pair) for pair in zip(acts, taken, strict=True)]
    for thread in threads:
        thread.start()
    sleep(WARM_UP)
    begun = perf_counter()
    stop.wait(seconds)
    ended = perf_counter()
    stop.set()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return figures(taken, begun, ended)


async def in_tasks(
    acts: Sequence[Callable[[], Awaitable[object]]], seconds: float
) -> dict[str, float]:
    """What `len(acts)` tasks of this event loop reach, each calling its own act."""
    begun = perf_counter() + WARM_UP
    ended = begun + seconds

    async def call(act: Callable[[], Awaitable[object]]) -> Taken:
        mine: Taken = []
        now = perf_counter()
        while now < ended:
            await act()
            last, now = now, perf_counter()
            mine.append((now, now - last))
        return mine

    return figures(await asyncio.gather(*map(call, acts)), begun, ended)


def figures(taken: Sequence[Taken], begun: float, ended: float) -> dict[str, float]:
    """Rate and latencies of the answers that came from `begun` to `ended`."""
    times = [time for mine in taken for at, time in mine if begun <= at < ended]
    cuts = quantiles(times, n=100, method="inclusive")
    return {
        "rate": len(times) / (ended - begun),
        "p50_ms": cuts[49] * 1000,
        "p99_ms": cuts[98] * 1000,
    }


def committed_rate(position: Callable[[], int], head: int, seconds: float) -> float:
    """Events a second by the committed position, from one commit to another some `seconds` later.

    It is watched to the commit that ends the time, or to `head` where that comes first.
    """
    until = monotonic() + WARM_UP
    before = begun = _next(position, until, head)
    after = begun
    while after[0] - before[0] < seconds and after[1] < head:
        after = _next(position, monotonic(), head)
    return (after[1] - before[1]) / (after[0] - before[0])


def _next(position: Callable[[], int], earliest: float, head: int) -> tuple[float, int]:
    sleep(max(0.0, earliest - monotonic()))
    known = position()
    while (now := position()) == known and now < head:
        sleep(0.02)
    return monotonic(), now


def say(result: dict[str, float]) -> None:
    print(json.dumps(result), flush=True)
