"""Which of a peer's documented settings is the fastest on this machine, today."""

from collections.abc import Awaitable, Callable, Sequence

from tests.bench.row import Sample

TRIAL = 1.0
"""Seconds for which each is tried."""

Variant = tuple[object, ...]
"""What a program is told last: a size of a pool, a size of a batch."""

Measured = Callable[[Variant, float], Awaitable[Sample]]


async def fastest(measured: Measured, variants: Sequence[Variant]) -> Variant:
    """The variant with the highest rate; a lone one is not tried."""
    if len(variants) == 1:
        return variants[0]
    rates = [(await measured(variant, TRIAL))["rate"] for variant in variants]
    return variants[rates.index(max(rates))]
