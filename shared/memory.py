"""How the garbage collector is set in every process of ours."""

import gc


def settle() -> None:
    """Caches are large and cycles few: what lives as long as the process is not looked at again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
