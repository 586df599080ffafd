"""The AsyncAPI document holds every published event, each under its own name."""

import re
from typing import Any, ClassVar

import orjson
import pytest
from jsonschema import Draft202012Validator

from shared.bus import cloudevents, subjects
from shared.bus.asyncapi import HEADERS, document
from shared.bus.message import Message
from shared.contracts.base import EVENT_TYPES
from shared.eventstore import Command
from shared.testing.bus import entry


class Ring(Command):
    """Ring the bell."""

    name: ClassVar[str] = "ring"
    bell: str


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    return document(commands={"custody": (Ring,)})


def test_it_is_asyncapi_3_and_every_reference_leads_somewhere(found: dict[str, Any]) -> None:
    assert found["asyncapi"].startswith("3.")
    for reference in re.findall(r'"\$ref":"#/([^"]+)"', orjson.dumps(found).decode()):
        target: Any = found
        for step in reference.split("/"):
            target = target[step.replace("~1", "/").replace("~0", "~")]


def test_every_event_type_has_its_channel_message_and_schema(found: dict[str, Any]) -> None:
    assert EVENT_TYPES
    for type, event in EVENT_TYPES.items():
        schema = found["components"]["schemas"][type]
        assert set(schema["properties"]) == set(event.model_fields), type
        assert found["channels"][type]["address"] == (
            f"kawal.{event.service}.{{province}}.{{city}}.{{district}}.{{village}}"
            f".{event.kind}.{event.fact}"
        )
        assert any(
            message["name"] == type and message["payload"]["$ref"].endswith(f"/{type}")
            for message in found["components"]["messages"].values()
            if "name" in message
        )


def test_the_headers_of_a_published_event_are_as_documented(found: dict[str, Any]) -> None:
    event = entry(1)
    block = cloudevents.encode(event, event.id, cloudevents.source("custody", "31"))
    headers = Message(1, subjects.subject_of(event.type, "31"), event.data, block).headers
    schema = found["components"]["schemas"][HEADERS]
    Draft202012Validator(schema).validate(headers)
    assert set(headers) <= set(schema["properties"])


def test_requests_and_commands_are_channels_too(found: dict[str, Any]) -> None:
    addresses = {channel["address"] for channel in found["channels"].values()}
    assert "kawal.replay.custody" in addresses
    assert "kawal.position.exchange" in addresses
    assert "kawal.command.custody.ring.{caller}" in addresses
    assert found["components"]["schemas"]["custody.ring"]["required"] == ["bell"]


def test_a_service_alone_documents_its_own_events_only() -> None:
    channels = document(["custody"])["channels"]
    assert "custody.unit-sealed.v1" in channels
    assert not any(name.startswith("exchange.") for name in channels)
