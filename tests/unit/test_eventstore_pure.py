"""The parts of the event store that need no database."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from uuid import NAMESPACE_URL, UUID
from uuid import uuid5 as standard_uuid5

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.base import SAFE_INTEGER, canonical
from shared.eventstore import Metadata, Upcasters, uuid7
from shared.eventstore.command import Command, Context, Request
from shared.eventstore.handler import ROUND, ROUND_STREAMS, rounds
from shared.eventstore.ids import uuid5
from shared.migrations import migrations

KEYS = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=8)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-SAFE_INTEGER, SAFE_INTEGER)
    | st.text(st.characters(exclude_categories=["Cs"]))
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner), max_leaves=30
)


@given(VALUES)
def test_stored_bytes_are_canonical_json(value: object) -> None:
    assert canonical(value) == rfc8785.dumps(value)


@given(
    st.text(st.characters(exclude_categories=["Cs"])),
    st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=7))])),
    st.none() | st.uuids(),
)
def test_metadata_bytes_are_canonical_json(actor: str, at: datetime, cause: UUID | None) -> None:
    if at.year in (1, 9999):
        return
    data = Metadata(actor, "kpu", at, cause, cause, "00-a-b-01").encode("31", ("31", "31.71"))
    text = at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    assert data == rfc8785.dumps(
        {
            "actor": actor,
            "agency": "kpu",
            "causation": cause and str(cause),
            "correlation": cause and str(cause),
            "occurred_at": text,
            "region": "31",
            "regions": ["31", "31.71"],
            "traceparent": "00-a-b-01",
        }
    )


def test_ids_are_uuids_of_version_7_in_the_order_of_time() -> None:
    ids = [uuid7() for _ in range(1000)]
    assert all(UUID(str(id)).version == 7 and UUID(str(id)).variant for id in ids)
    assert len(set(ids)) == 1000
    times = [id.int >> 80 for id in ids]
    assert times == sorted(times)


def test_upcasters_lead_to_the_newest_type() -> None:
    upcasters = Upcasters()
    upcasters.register("a.v1", lambda old: ("a.v2", {**old, "two": True}))
    upcasters.register("a.v2", lambda old: ("a.v3", {**old, "three": True}))
    assert upcasters.upcast("a.v1", {}) == ("a.v3", {"two": True, "three": True})
    assert upcasters.upcast("b.v1", {"x": 1}) == ("b.v1", {"x": 1})
    with pytest.raises(ValueError, match=r"a\.v1"):
        upcasters.register("a.v1", lambda old: ("a.v2", old))


@pytest.mark.parametrize(
    ("jurisdiction", "region", "covered"),
    [
        ({"*"}, "31.71", True),
        ({"31"}, "31.71.04.1001", True),
        ({"31.71.04"}, "31.71.04.1001", True),
        ({"31.71.04.1001"}, "31.71.04", False),
        ({"31.7"}, "31.71", False),
        ({"31.72", "31.71"}, "31.71", True),
        (set(), "31", False),
    ],
)
def test_a_jurisdiction_covers_its_regions_and_all_below(
    jurisdiction: set[str], region: str, covered: bool
) -> None:
    context = Context(datetime.now(UTC), "person-1", "kpu", frozenset(), frozenset(jurisdiction))
    assert context.covers(region) == covered


def test_migrations_go_by_number_and_a_number_is_used_once(tmp_path: Path) -> None:
    (tmp_path / "0002_b.sql").write_text("select 2")
    (tmp_path / "0001_a.sql").write_text("select 1")
    (tmp_path / "queries.sql").write_text("select 3")
    assert [(m.version, m.name) for m in migrations(tmp_path)] == [(1, "a"), (2, "b")]
    (tmp_path / "0002_c.sql").write_text("select 4")
    with pytest.raises(ValueError, match="same number"):
        migrations(tmp_path)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_the_id_of_a_name_is_the_standard_one(name: str) -> None:
    made, expected = uuid5(NAMESPACE_URL, name), standard_uuid5(NAMESPACE_URL, name)
    assert (made, hash(made), made.version) == (expected, hash(expected), 5)


class Load(Command):
    """Names as many streams as it has boxes."""

    boxes: int

    def streams(self) -> tuple[str, ...]:
        return tuple(f"box-{n}" for n in range(self.boxes))


def asked(*boxes: int) -> list[Request]:
    nobody = Context(datetime(2024, 2, 1, tzinfo=UTC), "P-1", "KPU", frozenset(), frozenset())
    return [Request(Load(boxes=n), UUID(int=at), b"", nobody) for at, n in enumerate(boxes)]


@pytest.mark.parametrize(
    ("boxes", "expected"),
    [
        ([], []),
        ([1] * (ROUND + 1), [ROUND, 1]),
        ([ROUND_STREAMS * 2, 1, ROUND_STREAMS, 1], [1, 1, 1, 1]),
        ([ROUND_STREAMS // 2] * 5, [2, 2, 1]),
    ],
)
def test_what_is_decided_without_a_pause_is_bounded_in_commands_and_in_streams(
    boxes: list[int], expected: list[int]
) -> None:
    requests = asked(*boxes)
    cut = list(rounds(requests))
    assert [len(each) for each in cut] == expected
    assert [one for each in cut for one in each] == requests
