"""Apportionment by largest remainder (Hamilton): whole shares whose sum is exactly the total."""

from collections.abc import Mapping


def largest_remainder(total: int, weights: Mapping[str, int]) -> dict[str, int]:
    """Share `total` in proportion to `weights`; remainders go by size, then by key.

    All weights zero share equally; no keys is `ValueError` unless the total is zero.
    """
    if not weights:
        if total:
            raise ValueError("nothing to share among")
        return {}
    if not any(weights.values()):
        weights = dict.fromkeys(weights, 1)
    whole = sum(weights.values())
    shares = {key: total * weight // whole for key, weight in weights.items()}
    by_remainder = sorted(weights, key=lambda key: (-(total * weights[key] % whole), key))
    for key in by_remainder[: total - sum(shares.values())]:
        shares[key] += 1
    return shares


def evenly(total: int, parts: int) -> list[int]:
    """`parts` whole shares of `total` that differ by at most one, the larger first."""
    share, larger = divmod(total, parts)
    return [share + 1] * larger + [share] * (parts - larger)
