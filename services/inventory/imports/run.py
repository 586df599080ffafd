"""Carrying out an import: commands in large steps, each decided once per import key."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import islice
from uuid import NAMESPACE_URL, uuid5

from shared.eventstore import Command, CommandHandler, Context, Request
from shared.telemetry import traceparent

STEP = 1000
_IDS = uuid5(NAMESPACE_URL, "urn:kawal:inventory:import")


@dataclass(frozen=True, slots=True)
class Importer:
    """Issues an import's commands for the person whose `context` and `key` they carry.

    Whoever may import a scope may also register what it lies in: the endpoint has checked.
    """

    handler: CommandHandler
    context: Context
    key: str

    async def issue(self, commands: Iterable[Command]) -> int:
        """The position after all of them; the first refusal or error is raised.

        What was accepted before it stays; the same import once more goes on from there.
        """
        context = replace(
            self.context, roles=frozenset({"operator"}), jurisdiction=frozenset({"*"})
        )
        position = 0
        for step in _steps(commands):
            requests = [self._request(command, context) for command in step]
            for answer in await self.handler.handle_many(requests):
                if isinstance(answer, Exception):
                    raise answer
                position = max(position, answer.last)
        return position

    def _request(self, command: Command, context: Context) -> Request:
        content = command.name.encode() + b"\n" + command.model_dump_json().encode()
        fingerprint = sha256(content).digest()
        command_id = uuid5(_IDS, f"{context.actor}\n{self.key}\n{fingerprint.hex()}")
        return Request(command, command_id, fingerprint, context, traceparent=traceparent())


def _steps(commands: Iterable[Command]) -> Iterator[Sequence[Command]]:
    iterator = iter(commands)
    while step := list(islice(iterator, STEP)):
        yield step
