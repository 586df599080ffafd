"""What every contender of the store's rows is given to do, and how its latencies are summed up."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from time import perf_counter, time

from shared.contracts.base import canonical
from tests.bench.row import Sample

TYPE = "custody.unit-handed-over.v1"
REGION = "31.71.01.1001"
BODY_BYTES = 378
WARM = 1.0
"""Seconds at the start of a sample that do not count, for the peers' programs too: connections and
plans are made in them."""


def _body() -> bytes:
    known = {
        "bast": "BAST/OUT-31.71.01.1001-001/3",
        "condition": "good",
        "consignment": "OUT-31.71.01.1001-001",
        "final": False,
        "giver": "PPK-31.71.01",
        "leg": 3,
        "place": "GUDANG-31.71-01",
        "receiver": "PPS-31.71.01.1001",
        "region": REGION,
        "seal": "3171011001A001",
        "unit": "BOX-31.71.01.1001-001-PPWP",
    }
    missing = BODY_BYTES - len(canonical(known | {"note": ""}))
    return canonical(known | {"note": "x" * missing})


BODY = _body()
"""The event that is appended: 378 bytes of JSON, each to a new stream of its own."""


async def sampled(
    callers: int, seconds: float, once: Callable[[], Awaitable[object]], at: float | None = None
) -> Sample:
    """`callers` tasks that do `once` again and again: what was done per second, and how fast.

    With `at`, a moment of the clock, several processes count the same seconds.
    """
    begin = perf_counter() + max(0.0, at - time() if at else WARM)
    end = begin + seconds
    took: list[float] = []

    async def caller() -> None:
        while (began := perf_counter()) < end:
            await once()
            done = perf_counter()
            if begin <= done < end:
                took.append(done - began)

    await asyncio.gather(*(caller() for _ in range(callers)))
    return {"rate": len(took) / seconds, **percentiles(took)}


def percentiles(took: Sequence[float]) -> Sample:
    """`p50_ms` and `p99_ms` of these seconds; nothing of nothing."""
    ranked = sorted(took)
    if not ranked:
        return {}
    return {
        f"p{percent}_ms": ranked[min(len(ranked) - 1, len(ranked) * percent // 100)] * 1000
        for percent in (50, 99)
    }


def say(sample: Sample) -> None:
    """The last line of a program of the bench."""
    print(json.dumps(sample), flush=True)
