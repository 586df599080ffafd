"""Who may do what on NATS: the configuration of the server, made from the services and agencies.

All services share one account, each with a user that may publish only its own facts, answer only
its own requests and manage only its own stream. An agency has an account of its own, into which it
imports one thing: the next messages of the durable consumer that the platform made on its stream.
Nobody is admitted without a password; the system account has no user.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from shared.bus import subjects

PLATFORM = "KAWAL"
OWNERS = ("inventory", "custody", "exchange")
READERS = ("console",)
SERVICES = OWNERS + READERS
AGENCIES = ("POLDA-METRO-JAYA",)
"""Who has an account of its own, and a stream that the exchange fills for it."""
NEXT = "kawal.next"
"""What an agency's user asks for its next messages."""
ANSWERED_WITHIN = "12s"
"""How long a request may be answered: who asked waits 10 s. No longer, for the server notes every
message that a service reads, too, and goes through its notes all the time."""


@dataclass(frozen=True)
class Env:
    """A password that the server takes from its environment. It must begin with a letter."""

    name: str


Password = str | Env


def render_server_config(
    *,
    host: str,
    port: int,
    store: str,
    services: Mapping[str, Password],
    agencies: Mapping[str, Password] | None = None,
    cell: str = "31",
    monitor: str | None = None,
    name: str = "kawal",
    sync_always: bool = False,
) -> str:
    """The text of nats.conf.

    `services` and `agencies` map names to passwords; `store` is JetStream's folder; `monitor` is
    the address of the HTTP monitor, `127.0.0.1:8222`, none without it.
    """
    agencies = agencies or {}
    config = {
        "host": host,
        "port": port,
        **({"http": monitor} if monitor else {}),
        "server_name": name,
        "max_payload": 8 * 1024 * 1024,
        "jetstream": {
            "store_dir": store,
            **({"sync_interval": "always"} if sync_always else {}),
        },
        "accounts": {
            PLATFORM: {
                "jetstream": "enabled",
                "users": [_service_user(s, pw, cell, agencies) for s, pw in services.items()],
                "exports": [export for agency in agencies for export in _exports(agency)],
            },
            **{agency: _agency_account(agency, pw) for agency, pw in agencies.items()},
        },
    }
    return "".join(f"{key}: {_render(value)}\n" for key, value in config.items())


def consumer_name(agency: str) -> str:
    """The durable on an agency's stream."""
    return subjects.agency_stream(agency).lower()


def _service_user(
    service: str, password: Password, cell: str, agencies: Iterable[str]
) -> dict[str, object]:
    publish = [*_requests(service), *_reading(cell)]
    subscribe = [f"_INBOX.{service}.>"]
    if service in OWNERS:
        publish += _owning(service, cell)
        subscribe += [
            subjects.wake(service),
            subjects.replay(service),
            subjects.position(service),
            subjects.command(service, "*", "*"),
        ]
    if service == "exchange":
        publish += [right for agency in agencies for right in _serving(agency)]
    return {
        "user": service,
        "password": password,
        "permissions": {
            "publish": {"allow": publish},
            "subscribe": {"allow": subscribe},
            "allow_responses": {"max": 1, "expires": ANSWERED_WITHIN},
        },
    }


def _requests(service: str) -> list[str]:
    return [subjects.replay("*"), subjects.position("*"), subjects.command("*", "*", service)]


def _reading(cell: str) -> list[str]:
    return [
        f"$JS.API.{call}"
        for stream in (subjects.stream_name(owner, cell) for owner in OWNERS)
        for call in (
            f"STREAM.INFO.{stream}",
            f"CONSUMER.CREATE.{stream}",
            f"CONSUMER.MSG.NEXT.{stream}.*",
        )
    ]


def _owning(service: str, cell: str) -> list[str]:
    stream = subjects.stream_name(service, cell)
    calls = ("CREATE", "UPDATE", "DELETE", "MSG.GET")
    managing = [f"$JS.API.STREAM.{call}.{stream}" for call in calls]
    return [subjects.subjects_of(service), subjects.wake(service), *managing]


def _serving(agency: str) -> list[str]:
    stream, durable = subjects.agency_stream(agency), consumer_name(agency)
    calls = ("CREATE", "UPDATE", "DELETE", "INFO", "MSG.GET")
    return [
        subjects.agency_subjects(agency),
        *(f"$JS.API.STREAM.{call}.{stream}" for call in calls),
        f"$JS.API.CONSUMER.CREATE.{stream}.{durable}",
        f"$JS.API.CONSUMER.INFO.{stream}.{durable}",
        f"$JS.API.CONSUMER.DELETE.{stream}.{durable}",
    ]


def _exported(agency: str) -> tuple[str, tuple[str, str]]:
    """Asking for the next messages, and both forms of acknowledging them."""
    stream, durable = subjects.agency_stream(agency), consumer_name(agency)
    acks = (f"$JS.ACK.{stream}.{durable}.>", f"$JS.ACK.*.*.{stream}.{durable}.>")
    return f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{durable}", acks


def _exports(agency: str) -> list[dict[str, object]]:
    following, acks = _exported(agency)
    return [
        {"service": following, "response_type": "stream", "accounts": [agency]},
        *({"service": ack, "accounts": [agency]} for ack in acks),
    ]


def _agency_account(agency: str, password: Password) -> dict[str, object]:
    """Without JetStream of its own; it publishes nothing but its requests and acknowledgements."""
    following, acks = _exported(agency)
    imports = [{"service": {"account": PLATFORM, "subject": following}, "to": NEXT}]
    imports += [{"service": {"account": PLATFORM, "subject": ack}} for ack in acks]
    user = {
        "user": agency,
        "password": password,
        "permissions": {
            "publish": {"allow": [NEXT, *acks]},
            "subscribe": {"allow": ["_INBOX.>"]},
        },
    }
    return {"users": [user], "imports": imports}


def _render(value: object, indent: int = 0) -> str:
    """NATS's own format: JSON but for bare keys and for `$NAME`, which it looks up."""
    inner = " " * (indent + 2)
    if isinstance(value, Mapping):
        body = "\n".join(f"{inner}{_key(k)}: {_render(v, indent + 2)}" for k, v in value.items())
        return _block("{", body, "}", indent)
    if isinstance(value, list):
        body = "\n".join(f"{inner}{_render(item, indent + 2)}" for item in value)
        return _block("[", body, "]", indent)
    if isinstance(value, Env):
        return f"${value.name}"
    return json.dumps(value)


def _block(opening: str, body: str, closing: str, indent: int) -> str:
    return f"{opening}\n{body}\n{' ' * indent}{closing}" if body else opening + closing


def _key(key: str) -> str:
    return key if key.replace("_", "").isalnum() else json.dumps(key)
