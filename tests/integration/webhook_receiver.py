"""Endpoints that receive webhooks on loopback, and the sending side of the exchange beside them."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any
from uuid import uuid4

import orjson
from aiohttp import web
from exchange_stack import POLICE, Exchange

from services.exchange.webhooks.dispatcher import Dispatcher
from services.exchange.webhooks.settings import WebhookSettings
from shared.contracts.exchange import NoticeSent
from shared.eventstore import Append, EventStore, Expected, Metadata, NewEvent, Write, uuid7

POLDA = "POLDA-METRO-JAYA"
PATIENCE = 30.0
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@dataclass
class Received:
    """A request as it arrived; `status` is what it was answered with."""

    headers: dict[str, str]
    body: bytes
    status: int
    at: float = field(default_factory=time.perf_counter)

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @cached_property
    def event(self) -> dict[str, Any]:
        return orjson.loads(self.body)


Answer = Callable[[dict[str, Any]], int | web.StreamResponse]


@dataclass
class Receiver:
    """Answers with what `answer` makes of an event; without one, 204."""

    url: str = ""
    answer: Answer = lambda event: 204
    got: list[Received] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        answer = self.answer(orjson.loads(body))
        if asyncio.iscoroutine(answer):
            answer = await answer
        response = web.Response(status=answer) if isinstance(answer, int) else answer
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.got.append(Received(headers, body, response.status))
        self._news.set()
        return response

    @property
    def accepted(self) -> list[Received]:
        return [each for each in self.got if each.status < 300]

    async def until(self, done: Callable[[], bool]) -> None:
        """Waits for more until it is done."""
        async with asyncio.timeout(PATIENCE):
            while not done():
                await self._news.wait()
                self._news.clear()

    async def accept(self, count: int) -> list[Received]:
        await self.until(lambda: len(self.accepted) >= count)
        return self.accepted


@asynccontextmanager
async def receiving(answer: Answer | None = None) -> AsyncIterator[Receiver]:
    receiver = Receiver()
    if answer is not None:
        receiver.answer = answer
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", receiver.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.01, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    try:
        yield receiver
    finally:
        await runner.cleanup()


def quick(**changes: Any) -> WebhookSettings:
    """A schedule without long pauses."""
    fields = {"schedule": (0, 0.05, 0.05, 0.05), "poll": 0.05, "loopback": True}
    return WebhookSettings(**(fields | changes))


@asynccontextmanager
async def sending(exchange: Exchange, settings: WebhookSettings | None = None) -> AsyncIterator:
    """The exchange's dispatcher, killed on leaving."""
    service = exchange.service
    task = asyncio.create_task(Dispatcher(service, service.pool, settings or quick()).run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def notices(
    store: EventStore,
    subjects: Iterable[str],
    agencies: tuple[str, ...] = (POLDA,),
    region: str = "31.71",
    concerned: tuple[str, ...] = (),
) -> None:
    """A notice about each subject, in this order, by one append."""
    sent = [
        NoticeSent(
            region=region,
            notice=str(uuid4()),
            topic="departure",
            about="custody.consignment-departed.v1",
            subject=subject,
            agencies=agencies,
            summary=f"Kiriman {subject} berangkat.",
            concerned=concerned,
        )
        for subject in subjects
    ]
    said = Metadata("P-1", "KPU", datetime.now(UTC), None, None, TRACE)
    writes = tuple(
        Write(
            event.stream,
            Expected.NONE,
            (NewEvent(uuid7(), event.type, event.encode(), event.region, event.regions),),
        )
        for event in sent
    )
    await store.append(Append(uuid4(), b"test", writes, {}, said))


async def register(
    exchange: Exchange,
    url: str,
    endpoint: str = "POLDA-1",
    topics: Sequence[str] = ("site", "departure", "incident", "letter", "endpoint"),
    **more: Any,
) -> str:
    """Registers an endpoint and returns its secret."""
    described = {"endpoint": endpoint, "agency": POLDA, "url": url, "topics": list(topics)}
    await exchange.command("register-endpoint", described | more)
    status, answer = await exchange.post(f"/endpoints/{endpoint}/secret", {})
    assert status == 201, answer
    return answer["secret"]


async def queued(exchange: Exchange) -> None:
    """Returns when the queue holds all that the log does."""
    position = await exchange.service.store.position()
    status, answer = await exchange.get(f"/endpoints?at_least=exchange:{position}")
    assert status == 200, answer


async def wait_for_state(exchange: Exchange, state: str, count: int) -> list[dict[str, Any]]:
    """The agency's deliveries in a state, newest first, once there are so many."""
    async with asyncio.timeout(PATIENCE):
        while len(found := await exchange.items(f"/deliveries?state={state}", POLICE)) < count:
            await asyncio.sleep(0.05)
    return found


def subject(event: dict[str, Any]) -> str:
    """What a notice is about."""
    return event["data"]["subject"]
