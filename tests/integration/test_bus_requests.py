"""Owners answer over NATS: any range of their log, and commands of callers known by connection."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import ClassVar
from uuid import UUID

import pytest
from nats.errors import NoRespondersError

from shared.bus.commands import NatsCommands, give
from shared.bus.connection import Client
from shared.bus.feed import Feed
from shared.bus.replay import PAGE_EVENTS, Replay
from shared.bus.requests import RequestFailed, ask
from shared.bus.responder import Responder
from shared.bus.subjects import replay
from shared.errors import Refused
from shared.eventstore import Appended, Command, Context, Request
from shared.telemetry import span
from shared.testing.bus import Bus, MemoryLog, entry, read_to

TRACE = "0af7651916cd43dd8448eb211c80319c"


@asynccontextmanager
async def answering(
    bus: Bus, log: MemoryLog, commands: NatsCommands | None = None
) -> AsyncIterator[Client]:
    responder = Responder(log, "custody", "31", bus.connect, commands)
    running = asyncio.create_task(responder.run())
    client = await bus.connect()
    await asyncio.sleep(0.2)
    try:
        yield client
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await client.close()


async def test_a_replayed_message_is_the_one_that_the_stream_carries(bus: Bus) -> None:
    log = MemoryLog()
    log.grow(50)
    async with answering(bus, log) as client, bus.relaying(log), Feed(client, "CUSTODY_31") as feed:
        streamed = await read_to(feed, 50)
        replayed = await Replay(client).read("custody", 0)
    for one, other in zip(streamed, replayed, strict=True):
        assert (one.position, one.subject, one.data) == (other.position, other.subject, other.data)
        assert other.headers.items() <= one.headers.items()
        assert (one.id, one.type, one.log_id) == (other.id, other.type, other.log_id)


async def test_a_range_is_paged_by_number_and_by_size(bus: Bus) -> None:
    log = MemoryLog()
    log.grow(2_500)
    async with answering(bus, log) as client:
        asked = Replay(client)
        assert len(await asked.read("custody", 0, 5_000)) == PAGE_EVENTS
        assert [m.position for m in await asked.read("custody", 2_498)] == [2_499, 2_500]
        assert [m.position for m in await asked.read("custody", 10, 2)] == [11, 12]
        assert await asked.read("custody", 2_500) == []
        end = await asked.position("custody")
        assert (end.position, end.log_id) == (2_500, log.log)
        big = b'{"x":"' + b"y" * 900_000 + b'"}'
        log.entries += [entry(2_501, big), entry(2_502, big)]
        assert [m.position for m in await asked.read("custody", 2_499)] == [2_500]
        assert [m.data for m in await asked.read("custody", 2_500)] == [big]


@pytest.mark.parametrize("asked", [{"after": -1}, {"behind": 1}, "all", None, [1]])
async def test_a_wrong_request_is_answered_with_a_problem(bus: Bus, asked: object) -> None:
    async with answering(bus, MemoryLog()) as client:
        with pytest.raises(RequestFailed) as failed:
            await ask(client, replay("custody"), asked)
        assert failed.value.problem["status"] == 422


async def test_a_store_that_is_down_is_answered_too(bus: Bus) -> None:
    class Down(MemoryLog):
        async def log_id(self) -> UUID:
            raise ConnectionRefusedError

    async with answering(bus, Down()) as client:
        with pytest.raises(RequestFailed, match="ask again"):
            await Replay(client).position("custody")


async def test_nobody_answers_for_a_service_that_is_not_there(bus: Bus) -> None:
    client = await bus.connect()
    with pytest.raises(NoRespondersError):
        await Replay(client).position("custody")
    await client.close()


async def test_answers_go_on_after_the_server_was_killed(bus: Bus) -> None:
    log = MemoryLog()
    log.grow(3)
    async with answering(bus, log) as client:
        bus.restart()
        async with asyncio.timeout(15):
            while True:
                try:
                    assert (await Replay(client).position("custody")).position == 3
                    break
                except Exception:
                    await asyncio.sleep(0.1)


class Seal(Command):
    name: ClassVar[str] = "seal"
    roles: ClassVar[frozenset[str]] = frozenset({"packer"})
    unit: str


class AlreadySealed(Refused):
    code = "already-sealed"


class Handler:
    """Accepts the first sealing of a unit; knows repeated commands."""

    def __init__(self) -> None:
        self.known: dict[UUID, Request] = {}

    async def handle(self, request: Request) -> Appended:
        if request.command_id in self.known:
            return Appended(7, 7, b"{}", True)
        if any(request.command.unit == r.command.unit for r in self.known.values()):
            raise AlreadySealed("It has a seal", unit=request.command.unit)
        self.known[request.command_id] = request
        return Appended(7, 7, b"{}", False)


async def context(caller: str, commands: Sequence[Command]) -> Context:
    roles = {"exchange": frozenset({"packer"})}.get(caller, frozenset())
    return Context(datetime.now(UTC), caller, caller, roles, frozenset({"*"}))


async def test_commands_are_answered_as_over_http(bus: Bus) -> None:
    handler = Handler()
    commands = NatsCommands("custody", (Seal,), lambda: handler, context)
    async with answering(bus, MemoryLog(), commands) as client:

        async def seal(unit: object, key: str, caller: str = "exchange") -> dict:
            return await give(client, "custody", "seal", caller, {"unit": unit}, key)

        accepted = {"status": 201, "outcome": "accepted", "position": 7}
        with span("a caller's work", caused_by=f"00-{TRACE}-b7ad6b7169203331-01"):
            assert await seal("BOX-1", "one") == accepted
        assert await seal("BOX-1", "one") == accepted
        [request] = handler.known.values()
        assert (request.context.actor, request.command.unit) == ("exchange", "BOX-1")
        assert request.traceparent.split("-")[1] == TRACE
        for arguments, status, code in (
            (("BOX-1", "two"), 409, "already-sealed"),
            ((1, "three"), 422, None),
            (("BOX-2", ""), 422, "invalid"),
            (("BOX-2", "four", "console"), 403, "forbidden"),
        ):
            with pytest.raises(RequestFailed) as failed:
                await seal(*arguments)
            assert failed.value.problem["status"] == status
            assert code in (None, failed.value.problem["code"])
        assert len(handler.known) == 1
