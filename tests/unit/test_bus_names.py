"""Subjects carry the place and the fact; headers carry the rest, both ways unharmed."""

import re
from datetime import datetime
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.bus import cloudevents, subjects
from shared.bus.message import Message, sequence
from shared.contracts.base import EVENT_TYPES
from shared.testing.bus import entry


@pytest.mark.parametrize(
    ("region", "expected"),
    [
        ("31.71.01.1001", "kawal.custody.31.71.01.1001.unit.sealed"),
        ("31.71", "kawal.custody.31.71._._.unit.sealed"),
        ("31", "kawal.custody.31._._._.unit.sealed"),
    ],
)
def test_levels_that_do_not_apply_are_underscores(region: str, expected: str) -> None:
    assert subjects.subject_of("custody.unit-sealed.v1", region) == expected


def test_every_contract_has_a_subject_of_eight_tokens() -> None:
    for type, event in EVENT_TYPES.items():
        tokens = subjects.subject_of(type, "31.71").split(".")
        assert tokens == ["kawal", event.service, "31", "71", "_", "_", event.kind, event.fact]
        assert all(re.fullmatch(r"[a-z0-9_-]+", token) for token in tokens)


def test_streams_are_named_after_service_and_cell() -> None:
    assert subjects.stream_name("custody", "31") == "CUSTODY_31"
    assert subjects.agency_stream("POLDA-METRO-JAYA") == "AGENCY_POLDA_METRO_JAYA"


def test_headers_are_a_pure_function_of_the_stored_event() -> None:
    event, log_id = entry(7), uuid4()
    assert cloudevents.encode(event, log_id, "/kawal/31/custody") == cloudevents.encode(
        event, log_id, "/kawal/31/custody"
    )


def test_a_message_gives_back_what_was_stored() -> None:
    event, log_id = entry(7, actor='P-Søren "50%"', correlation=str(uuid4())), uuid4()
    block = cloudevents.encode(event, log_id, cloudevents.source("custody", "31"))
    assert block.isascii()
    message = Message(7, "kawal.custody.31.71.01._.unit.sealed", event.data, block)
    assert (message.id, message.type, message.stream) == (event.id, event.type, event.stream)
    assert (message.version, message.log_id) == (1, log_id)
    assert message.actor == 'P-Søren "50%"'
    assert message.agency == "KPU"
    assert message.regions == ("31.71.01", "31.73")
    assert message.occurred_at == datetime.fromisoformat("2024-02-13T01:02:03+00:00")
    assert message.recorded_at == event.recorded_at
    assert message.service == "custody"
    assert message.correlation_id is not None
    assert message.causation_id is None
    assert message.headers["ce-source"] == "/kawal/31/custody"
    assert message.headers["ce-specversion"] == "1.0"
    assert message.headers["correlation_id"] == str(event.id)


@given(st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), min_size=1))
def test_any_text_survives_a_header(text: str) -> None:
    escaped = cloudevents.escape(text)
    assert re.fullmatch(r"[!#-~]+", escaped)
    assert cloudevents.parse(f"x: {escaped}\r\n".encode())["x"] == text


def test_the_sequence_is_read_from_both_forms_of_acknowledgement() -> None:
    assert sequence(b"$JS.ACK.CUSTODY_31.c.1.42.7.1700000000.9") == 42
    assert sequence(b"$JS.ACK._.hash.CUSTODY_31.c.1.42.7.1700000000.9.token") == 42
