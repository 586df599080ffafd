"""The AsyncAPI document, held against every message that a demo published."""

import asyncio
import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import orjson
import pytest
from demo_stack import OWNERS, Stack
from jsonschema import Draft202012Validator, FormatChecker

from shared.bus import subjects
from shared.bus.connection import connect
from shared.bus.feed import Feed
from shared.bus.message import Message
from shared.contracts.base import EVENT_TYPES, canonical

Document = dict[str, Any]
FIXED = {"ce-specversion": "1.0", "ce-datacontenttype": "application/json"}


@pytest.fixture(scope="module")
def document(demo: Stack) -> Document:
    return orjson.loads(demo.fetch("exchange", "/asyncapi.json"))


@pytest.fixture(scope="module")
def published(demo: Stack, logs: dict[str, list[dict[str, Any]]]) -> dict[str, list[Message]]:
    """Every message of the three streams, up to what was in the logs."""
    ends = {owner: len(events) for owner, events in logs.items()}
    return asyncio.run(_read_all(demo, ends))


async def _read_all(demo: Stack, ends: dict[str, int]) -> dict[str, list[Message]]:
    password = demo.state.read("passwords.json")["nats/console"]
    client = await connect(demo.nats_url, "console", password, "acceptance")
    try:
        return {owner: await _read(client, owner, end) for owner, end in ends.items()}
    finally:
        await client.close()


async def _read(client: Any, owner: str, end: int) -> list[Message]:
    found: list[Message] = []
    async with Feed(client, subjects.stream_name(owner, "31")) as feed:
        while len(found) < end:
            batch = await feed.batch()
            assert batch, f"{owner}: nothing comes after {len(found)}"
            found += batch
    return found[:end]


def every(published: dict[str, list[Message]]) -> Iterator[Message]:
    for messages in published.values():
        yield from messages


def channel_of(document: Document, type: str) -> tuple[Document, Document]:
    """A type's channel, and its one message."""
    channel = document["channels"][type]
    [reference] = channel["messages"].values()
    return channel, document["components"]["messages"][reference["$ref"].rpartition("/")[2]]


def validator(document: Document, schema: Document) -> Draft202012Validator:
    return Draft202012Validator(
        schema | {"components": document["components"]}, format_checker=FormatChecker()
    )


def test_every_service_serves_a_document_of_every_type(demo: Stack) -> None:
    for owner in OWNERS:
        served = orjson.loads(demo.fetch(owner, "/asyncapi.json"))
        assert served["asyncapi"].startswith("3."), owner
        assert set(EVENT_TYPES) <= set(served["channels"]), owner


def test_every_message_has_the_subject_of_its_type(
    document: Document, published: dict[str, list[Message]]
) -> None:
    addresses = {
        type: re.compile(_pattern(channel_of(document, type)[0]["address"]))
        for type in {message.type for message in every(published)}
    }
    for message in every(published):
        place = addresses[message.type].fullmatch(message.subject)
        assert place, message.subject
        levels = [code for code in place.groups() if code != "_"]
        assert ".".join(levels) == message.region


def _pattern(address: str) -> str:
    return "".join(
        "([^.]+)" if part.startswith("{") else re.escape(part)
        for part in re.split(r"(\{[^}]+\})", address)
    )


def test_every_payload_and_its_headers_are_as_documented(
    document: Document, published: dict[str, list[Message]]
) -> None:
    payloads, headers = {}, {}
    for type in {message.type for message in every(published)}:
        described = channel_of(document, type)[1]
        payloads[type] = validator(document, described["payload"])
        headers[type] = validator(document, described["headers"])
        assert described["contentType"] == "application/json"
    for message in every(published):
        payloads[message.type].validate(orjson.loads(message.data))
        headers[message.type].validate(message.headers)
        assert FIXED.items() <= message.headers.items()
        assert datetime.fromisoformat(message.headers["ce-time"]).tzinfo is not None


def test_the_document_names_where_a_message_is(
    document: Document, published: dict[str, list[Message]]
) -> None:
    for owner, messages in published.items():
        for type in {message.type for message in messages}:
            kept = channel_of(document, type)[0]["x-jetstream"]
            assert kept["stream"].format(cell="31") == subjects.stream_name(owner, "31")
        assert {message.headers["ce-source"] for message in messages} == {f"/kawal/31/{owner}"}
        assert len({message.log_id for message in messages}) == 1


def test_every_message_is_the_stores_event(
    logs: dict[str, list[dict[str, Any]]], published: dict[str, list[Message]]
) -> None:
    for owner, events in logs.items():
        assert len(published[owner]) == len(events) > 0
        for event, message in zip(events, published[owner], strict=True):
            assert message.position == event["position"]
            assert message.data == canonical(event["data"])
            assert _envelope(message) == _recorded(event)


def _envelope(message: Message) -> dict[str, Any]:
    return {
        "id": str(message.id),
        "type": message.type,
        "stream": message.stream,
        "version": message.version,
        "recorded_at": message.recorded_at,
        "occurred_at": message.occurred_at,
        "actor": message.actor,
        "agency": message.agency,
        "region": message.region,
        "regions": list(message.regions),
        "correlation": message.headers.get("kawal-correlation"),
        "causation": message.headers.get("kawal-causation"),
        "traceparent": message.traceparent,
    }


def _recorded(event: dict[str, Any]) -> dict[str, Any]:
    same = {name: event[name] for name in ("id", "type", "stream", "version")}
    times = {
        "recorded_at": datetime.fromisoformat(event["recorded_at"]),
        "occurred_at": datetime.fromisoformat(event["meta"]["occurred_at"]),
    }
    return event["meta"] | same | times


def test_a_demo_publishes_most_of_what_is_documented(
    published: dict[str, list[Message]],
) -> None:
    """The rest are corrections and exceptions that no plan of the field asks for."""
    seen = Counter(message.type for message in every(published))
    assert len(seen) >= 0.6 * len(EVENT_TYPES), sorted(set(EVENT_TYPES) - set(seen))
    assert {type.partition(".")[0] for type in seen} == set(OWNERS)


def test_an_agencys_own_client_gets_what_concerns_it(document: Document, demo: Stack) -> None:
    heard = demo.kawal("agency-listen", "POLDA-METRO-JAYA", "--count", "5", "--seconds", "5")
    lines = heard.stdout.splitlines()
    assert heard.returncode == 0 and len(lines) == 10, heard.stderr
    for about, body in zip(lines[::2], lines[1::2], strict=True):
        type = about.split()[0]
        validator(document, channel_of(document, type)[1]["payload"]).validate(orjson.loads(body))
