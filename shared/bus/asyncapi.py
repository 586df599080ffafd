"""The AsyncAPI 3 document: every published event, and every request that an owner answers.

FastStream describes the channels and operations. What it does not know is completed here: addresses
with the place as parameters, each event's schema under its own type (FastStream names schemas by
class, and two services may use one name), and the headers.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import orjson
from faststream.nats import NatsBroker
from faststream.specification import AsyncAPI
from pydantic import BaseModel

from shared.bus import cloudevents, subjects
from shared.bus.accounts import OWNERS
from shared.bus.commands import KEY, NatsCommands, answer_commands
from shared.bus.replay import answer_replays
from shared.bus.requests import Broker
from shared.contracts.base import EVENT_TYPES, Event
from shared.eventstore import Command

VERSION = "0.1.0"
PLACE = ("province", "city", "district", "village")
HEADERS = "EventHeaders"
PARAMETER = "Code of the Kemendagri's at this level; _ where the level does not apply"
TEXT = {"type": "string"}

Commands = Mapping[str, Sequence[type[Command]]]


def document(
    services: Collection[str] = OWNERS, commands: Commands | None = None
) -> dict[str, Any]:
    """The document of `services`' events, and of the `commands` that each takes over NATS."""
    events = [event for event in EVENT_TYPES.values() if event.service in services]
    commands = commands or {}
    made = AsyncAPI(
        _broker(services, events, commands),
        title="Kawal",
        version=VERSION,
        description="Facts of election logistics, and how to ask their owners for more.",
        license={"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
    )
    found = orjson.loads(made.to_specification().to_json())
    found["components"]["schemas"][HEADERS] = _headers()
    for event in events:
        _complete_event(found, event)
    for service, models in commands.items():
        for model in models:
            _complete_command(found, f"{service}.{model.name}", model)
    _drop_unused_schemas(found)
    return found


def _broker(
    services: Collection[str], events: Sequence[type[Event]], commands: Commands
) -> NatsBroker:
    """A broker that is never connected, with all that the running ones have."""
    broker = Broker(servers=("nats://nats:4222",), description="NATS with JetStream")
    for event in events:
        broker.publisher(
            f"{subjects.ROOT}.{event.service}.*.*.*.*.{event.kind}.{event.fact}",
            title=event.type,
            description=_said(event),
            schema=event,
        )
    for service in services:
        answer_replays(broker, None, service, "")
        models = commands.get(service, ())
        answer_commands(broker, NatsCommands(service, models, None, None))
    return broker


def _complete_event(found: dict[str, Any], event: type[Event]) -> None:
    channel = found["channels"][event.type]
    levels = ".".join(f"{{{level}}}" for level in PLACE)
    channel["address"] = f"{subjects.ROOT}.{event.service}.{levels}.{event.kind}.{event.fact}"
    channel["parameters"] = {level: {"description": PARAMETER} for level in PLACE}
    channel["x-jetstream"] = {"stream": f"{event.service.upper()}_{{cell}}", "sequence": "position"}
    message = _message(found, event.type, event)
    message["headers"] = {"$ref": f"#/components/schemas/{HEADERS}"}


def _complete_command(found: dict[str, Any], title: str, model: type[Command]) -> None:
    channel = found["channels"][title]
    channel["address"] = channel["address"].removesuffix("*") + "{caller}"
    channel["parameters"] = {"caller": {"description": "The NATS user who gives the command"}}
    message = _message(found, title, model)
    message["headers"] = {"type": "object", "required": [KEY], "properties": {KEY: TEXT}}


def _message(found: dict[str, Any], title: str, model: type[BaseModel]) -> dict[str, Any]:
    """The channel's message, it and its payload's schema named after the channel; nested schemas
    stay apart too."""
    prefix = f"#/components/schemas/{title}."
    schema = model.model_json_schema(ref_template=prefix + "{model}", by_alias=True)
    schemas = found["components"]["schemas"]
    for name, nested in schema.pop("$defs", {}).items():
        schemas[f"{title}.{name}"] = nested
    schemas[title] = schema
    [reference] = found["channels"][title]["messages"].values()
    message = found["components"]["messages"][reference["$ref"].rpartition("/")[2]]
    message |= {"name": title, "title": title, "contentType": cloudevents.CONTENT_TYPE}
    message["payload"] = {"$ref": f"#/components/schemas/{title}"}
    message["description"] = _said(model)
    return message


def _headers() -> dict[str, Any]:
    """CloudEvents 1.0 in NATS headers, and Kawal's own beside them."""
    uuid, time = {**TEXT, "format": "uuid"}, {**TEXT, "format": "date-time"}
    required = {
        "ce-id": uuid,
        "ce-type": {"enum": sorted(EVENT_TYPES)},
        "ce-source": {**TEXT, "pattern": r"^/kawal/\d{2}/[a-z]+$"},
        "ce-subject": TEXT,
        "ce-time": time,
        "ce-specversion": {"const": "1.0"},
        "ce-datacontenttype": {"const": "application/json"},
        "kawal-version": {**TEXT, "pattern": r"^\d+$"},
        "kawal-recorded-at": time,
        "kawal-actor": TEXT,
        "kawal-agency": TEXT,
        "kawal-region": TEXT,
        "kawal-regions": TEXT,
        "correlation_id": uuid,
        "log_id": uuid,
    }
    optional = {"kawal-correlation": uuid, "kawal-causation": uuid, "traceparent": TEXT}
    return {
        "type": "object",
        "description": _headers.__doc__,
        "required": sorted(required),
        "properties": required | optional,
    }


def _drop_unused_schemas(found: dict[str, Any]) -> None:
    """FastStream's schemas by class name, which the completed messages no longer refer to."""
    schemas = found["components"]["schemas"]
    while True:
        used = set(re.findall(r'"#/components/schemas/([^"/]+)"', orjson.dumps(found).decode()))
        unused = schemas.keys() - used
        if not unused:
            return
        for name in unused:
            del schemas[name]


def _said(model: type[BaseModel]) -> str:
    return " ".join((model.__doc__ or model.__name__).split())
