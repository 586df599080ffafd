"""Commands over NATS: request and reply on `kawal.command.<service>.<name>.<caller>`.

The caller is the last token of the subject, on which only the caller's own user may publish: who
asks is known from the connection and never from the payload.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import orjson
from faststream.nats.annotations import NatsMessage
from opentelemetry.trace import SpanKind

from shared.bus import subjects
from shared.bus.connection import Client
from shared.bus.requests import Broker, ask
from shared.errors import Forbidden, Invalid
from shared.eventstore import Command, CommandHandler, Context, Request
from shared.telemetry import span, traceparent
from shared.web.body import parse as read
from shared.web.commands import accepted, check_time, parse
from shared.web.problems import problem_of

KEY = "Idempotency-Key"
MOST_KEY = 200
_IDS = uuid5(NAMESPACE_URL, "urn:kawal:command:nats")

MakeContext = Callable[[str, Sequence[Command]], Awaitable[Context]]
"""In which context a caller's commands are decided: its rights are the service's to say."""


class NatsCommands:
    """Answers the commands of a service as its HTTP API does: same checks, same problems."""

    def __init__(
        self,
        service: str,
        commands: Sequence[type[Command]],
        handler: Callable[[], CommandHandler],
        context: MakeContext,
    ) -> None:
        self.service = service
        self.models = tuple(commands)
        self._handler = handler
        self._context = context

    async def answer(self, model: type[Command], message: NatsMessage) -> bytes:
        """`{"status": 201, "position", ...}`, or a problem document."""
        try:
            return orjson.dumps({"status": 201, **await self._handle(model, message)})
        except Exception as error:
            return orjson.dumps(problem_of(error), default=str)

    async def _handle(self, model: type[Command], message: NatsMessage) -> dict[str, Any]:
        caller = message.raw_message.subject.rpartition(".")[2]
        key = message.headers.get(KEY, "").strip('"')
        if not 1 <= len(key) <= MOST_KEY:
            raise Invalid(f"The header {KEY} is missing or longer than {MOST_KEY}")
        command, fingerprint = parse(model, read(message.body))
        context = await self._context(caller, (command,))
        if not context.may(command):
            raise Forbidden(f"{caller} may not give {model.name}")
        check_time(command, context.now)
        command_id = uuid5(_IDS, f"{self.service}\n{caller}\n{key}")
        caused_by = message.headers.get("traceparent", "")
        with span(f"command {model.name}", SpanKind.SERVER, caused_by=caused_by):
            parent = traceparent()
            request = Request(command, command_id, fingerprint, context, traceparent=parent)
            return accepted(await self._handler().handle(request))


def answer_commands(broker: Broker, commands: NatsCommands) -> None:
    """Serve each command on a subject of its own."""
    for model in commands.models:
        _answer(broker, commands, model)


def _answer(broker: Broker, commands: NatsCommands, model: type[Command]) -> None:
    @broker.subscriber(
        subjects.command(commands.service, model.name, "*"),
        queue=f"{commands.service}-commands",
        title=f"{commands.service}.{model.name}",
        description=(model.__doc__ or model.name).strip(),
    )
    async def answer(message: NatsMessage) -> bytes:
        return await commands.answer(model, message)


async def give(
    nats: Client, service: str, name: str, caller: str, fields: dict[str, Any], key: str
) -> dict[str, Any]:
    """Give a command and return its answer; raises `RequestFailed` with the problem document."""
    subject = subjects.command(service, name, caller)
    headers = {KEY: key} | ({"traceparent": parent} if (parent := traceparent()) else {})
    return orjson.loads(await ask(nats, subject, fields, **headers))
