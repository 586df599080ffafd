"""The cache of states: bounded in memory, the least recently used go, no state gets older."""

from hypothesis import given
from hypothesis import strategies as some

from shared.eventstore.cache import StateCache, weigh

BUDGET = 20_000
ROOM_FOR_THREE = 800

streams = some.integers(0, 60).map("unit-{}".format)
puts = some.lists(some.tuples(streams, some.integers(1, 40), some.integers(0, 3_000)))


def state(size: int) -> tuple[bytes, dict[str, bytes]]:
    return (bytes(size // 2), {"rest": bytes(size - size // 2)})


@given(puts)
def test_states_of_any_size_stay_within_the_budget(puts) -> None:
    """A state that is put again at a later version has the size that it had."""
    cache = StateCache(BUDGET)
    sizes: dict[str, int] = {}
    for stream, version, size in puts:
        cache.put(stream, (version, state(sizes.setdefault(stream, size))))
        kept = [size for stream, size in sizes.items() if stream in cache]
        assert sum(kept) <= BUDGET
        assert len(cache) == len(kept)


@given(some.lists(some.integers(1, 10), min_size=1, max_size=300))
def test_states_that_grow_with_their_events_take_at_most_twice_the_budget(growths) -> None:
    cache = StateCache(BUDGET)
    for turn, growth in enumerate(growths):
        stream = f"roll-{turn % 7}"
        version = turn // 7 + 1
        cache.put(stream, (version, bytes(100 * version)))
        cache.put(f"{stream}-{growth}", (1, bytes(growth)))
        kept = [cache.get(f"roll-{n}") for n in range(7)]
        assert sum(len(found[1]) for found in kept if found) <= 2 * BUDGET


@given(puts)
def test_what_was_used_last_is_kept_longest(puts) -> None:
    cache = StateCache(BUDGET)
    used: list[str] = []
    for stream, version, size in puts:
        cache.put(stream, (version, state(size)))
        used = [one for one in used if one != stream] + [stream]
    kept = [stream in cache for stream in used]
    assert kept == sorted(kept)


def test_a_state_that_is_asked_for_counts_as_used() -> None:
    cache = StateCache(ROOM_FOR_THREE)
    for stream in "abc":
        cache.put(stream, (1, 1))
    assert cache.get("a") == (1, 1)
    cache.put("d", (1, 1))
    assert ("a" in cache, "b" in cache) == (True, False)


def test_the_cache_never_goes_back_to_an_older_version() -> None:
    cache = StateCache()
    cache.put("a", (3, "a3"))
    cache.put("a", (2, "a2"))
    assert cache.get("a") == (3, "a3")


def test_a_state_that_is_dropped_makes_room() -> None:
    cache = StateCache()
    cache.put("a", (1, state(1_000)))
    cache.drop(["a", "unknown"])
    assert (cache.get("a"), cache.bytes, len(cache)) == (None, 0, 0)


def test_a_state_larger_than_the_budget_is_not_kept() -> None:
    cache = StateCache(BUDGET)
    cache.put("a", (1, bytes(BUDGET)))
    assert len(cache) == cache.bytes == 0


def test_what_many_states_share_is_not_counted_for_each() -> None:
    shared = bytes(5_000)
    many = [(shared, number) for number in range(100)]
    assert weigh(many[0]) < 1_000
    assert weigh((bytes(5_000), 0)) > 5_000
