"""What every stage works with: the client, the world, the plan of mishaps, and the progress."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from services.simulator.client import CLOCK, OPERATOR, Actor, Client, Unexpected
from services.simulator.mishaps import Plan
from services.simulator.progress import Progress
from services.simulator.world import World

OWNERS = ("inventory", "custody", "exchange")
BATCH = 200
PARALLEL = 4

Command = dict[str, Any]


@dataclass
class Field:
    client: Client
    world: World
    plan: Plan
    progress: Progress

    async def clock(self, to: datetime) -> None:
        """Move the business clock of every service; it never goes back."""
        await asyncio.gather(
            *(
                self.client.command(
                    owner, "move-clock", {"to": to.isoformat()}, f"clock:{to.isoformat()}", CLOCK
                )
                for owner in OWNERS
            )
        )

    async def send(
        self,
        stage: str,
        service: str,
        commands: Iterable[Command],
        actor: Actor = OPERATOR,
        refused: str | None = None,
        batch: int = BATCH,
    ) -> None:
        """Send all commands in bulk, a few requests at a time; each must be accepted, or, where
        `refused` names a code, refused with it."""
        todo = list(commands)
        if not todo:
            return
        advance = self.progress.stage(stage, len(todo))
        limit = asyncio.Semaphore(PARALLEL)

        async def one(number: int, chunk: Sequence[Command]) -> None:
            async with limit:
                key = f"{slug(stage)}:{number}"
                results = await self.client.bulk(service, list(chunk), key, actor)
                _judge(stage, chunk, results, refused)
                advance(len(chunk))

        try:
            async with asyncio.TaskGroup() as group:
                for number, chunk in enumerate(_chunks(todo, batch)):
                    group.create_task(one(number, chunk))
        except ExceptionGroup as several:
            raise several.exceptions[0] from None

    async def caught_up(self, reader: str, owner: str) -> None:
        """Wait until `reader` has seen and acted on everything that `owner` has stored."""
        position = (await self.client.get(owner, "/positions"))["store"]
        await self.client.get(reader, "/positions", at_least=f"{owner}:{position}")


def slug(stage: str) -> str:
    """A stage's name as a part of an idempotency key."""
    return "-".join(stage.split())


def _chunks(items: Sequence[Command], size: int) -> Iterable[list[Command]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk


def _judge(
    stage: str, chunk: Sequence[Command], results: list[dict[str, Any]], refused: str | None
) -> None:
    if len(results) != len(chunk):
        raise Unexpected(f"{stage}: {len(results)} verdicts for {len(chunk)} commands")
    for command, verdict in zip(chunk, results, strict=True):
        accepted = verdict["status"] == 201 if refused is None else verdict.get("code") == refused
        if not accepted:
            raise Unexpected(f"{stage}: {command} -> {verdict}")
