"""One composition for every service: what it decides and shows goes in, a service comes out.

# services/<name>/bootstrap.py
def build(settings: Settings) -> Service:
    return assemble(settings, name="custody", title="Custody", decider=..., commands=[...], ...)

# services/<name>/__main__.py
main("custody", build)
"""

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, Literal

import asyncpg
from fastapi import APIRouter, FastAPI

from shared.bus import streams, subjects
from shared.bus.connection import Client
from shared.bus.relay import Relay
from shared.bus.responder import Responder
from shared.clock import BusinessClock, MoveClock, RealClock, Scheduler, SimulatedClock
from shared.clock.moving import ClockDecider
from shared.errors import Forbidden
from shared.eventstore import (
    Appended,
    Command,
    CommandHandler,
    Context,
    Decider,
    EventStore,
    Recorded,
    Upcasters,
)
from shared.projection import Policy, Projection, Worker
from shared.projection.ports import Replay
from shared.settings import Settings
from shared.web import openapi
from shared.web.app import create_app
from shared.web.auth import Authenticator
from shared.web.commands import command_router
from shared.web.health import Check
from shared.web.operations import operations_router
from shared.web.principal import EVERYWHERE, Principal
from shared.web.problems import Unavailable

Facts = Callable[["Service", Sequence[Command]], Awaitable[Any]]
"""The look-ups that some commands' decisions need, made once per request."""

Due = Callable[["Service", datetime], Awaitable[Sequence[Command]]]
"""The commands that are due at a business time; see `shared.clock.Tick`."""

Background = Callable[["Service"], Coroutine[Any, Any, None]]
Role = Literal["api", "relay", "worker"]

OPENED_LATER = ("store", "pool", "nats", "handler", "clock_handler", "replay")


@dataclass(frozen=True)
class Parts:
    """What makes one service different from another."""

    decider: Decider | None = None
    commands: Sequence[type[Command]] = ()
    facts: Facts | None = None
    callers: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Who may give commands over NATS: a NATS user, and its roles."""
    projections: Sequence[Projection] = ()
    policies: Sequence[Policy] = ()
    ticks: Sequence[Due] = ()
    background: Sequence[tuple[Role, Background]] = ()
    upcasters: Upcasters | None = None


@dataclass
class Service:
    """A service in one process. What is opened at the start is missing (503) until it is there."""

    name: str
    settings: Settings
    parts: Parts
    clock: BusinessClock
    app: FastAPI = field(init=False)
    port: int = 0
    checks: dict[str, Check] = field(default_factory=dict)

    store: EventStore = field(init=False)
    pool: asyncpg.Pool = field(init=False)
    nats: Client = field(init=False)
    replay: Replay = field(init=False)
    handler: CommandHandler = field(init=False)
    clock_handler: CommandHandler = field(init=False)
    scheduler: Scheduler | None = None
    relay: Relay | None = None
    responder: Responder | None = None
    worker: Worker | None = None
    _asyncapi: dict[str, Any] | None = field(init=False, default=None, repr=False)

    def __getattr__(self, name: str) -> Any:
        if name in OPENED_LATER:
            raise Unavailable(f"The service is starting: no {name} yet")
        raise AttributeError(name)

    @property
    def owns_events(self) -> bool:
        return self.parts.decider is not None

    @property
    def has_consumers(self) -> bool:
        return bool(self.parts.projections or self.parts.policies)

    async def context(self, principal: Principal, commands: Sequence[Command]) -> Context:
        """The context in which a caller's commands are decided."""
        return Context(
            self.clock.now(),
            principal.actor,
            principal.agency,
            principal.roles,
            principal.jurisdiction,
            await self.facts(commands),
        )

    async def own_context(self, commands: Sequence[Command]) -> Context:
        """The context of what the service does by itself: its policies and its scheduler."""
        everything = frozenset({EVERYWHERE})
        facts = await self.facts(commands)
        return Context(self.clock.now(), self.name, "system", everything, everything, facts)

    async def callers_context(self, caller: str, commands: Sequence[Command]) -> Context:
        """The context in which the commands of a NATS user are decided."""
        if caller not in self.parts.callers:
            raise Forbidden(f"{caller} gives no commands here")
        roles = self.parts.callers[caller]
        everywhere = frozenset({EVERYWHERE})
        facts = await self.facts(commands)
        return Context(self.clock.now(), caller, caller, roles, everywhere, facts)

    async def facts(self, commands: Sequence[Command]) -> Any:
        return await self.parts.facts(self, commands) if self.parts.facts is not None else None

    async def positions(self) -> dict[str, Any]:
        """`{"store", "log_id", "stream", "projections": {"<service>/<name>": {source: n}}}`."""
        found: dict[str, Any] = {"store": None, "log_id": None, "stream": None}
        if self.owns_events:
            found["store"] = await self.store.position()
            found["log_id"] = await self.store.log_id()
            found["stream"] = await self._stream_position()
        of = self.worker.positions() if self.worker is not None else {}
        return {**found, "projections": {f"{self.name}/{name}": at for name, at in of.items()}}

    async def _stream_position(self) -> int | None:
        name = subjects.stream_name(self.name, self.settings.cell)
        info = await streams.find(self.nats.jetstream(), name)
        return info.state.last_seq if info is not None else None

    async def read_log(self, after: int, limit: int) -> tuple[Sequence[Recorded], bool]:
        """A page of the service's own log, and whether there is more behind it."""
        page = await self.store.read_all(after, limit) if self.owns_events else ()
        return page, bool(page) and page[-1].position < await self.store.position()

    def clock_says(self) -> dict[str, Any]:
        return {"now": self.clock.now(), "kind": self.clock.kind}

    async def asyncapi(self) -> dict[str, Any]:
        """The document, made once: that takes a third of a second, and anybody may ask."""
        if self._asyncapi is None:
            from shared.bus import asyncapi  # FastStream, which makes it, is slow to import

            commands = {self.name: self.parts.commands} if self.parts.callers else {}
            self._asyncapi = asyncapi.document(commands=commands)
        return self._asyncapi

    async def settled(self, seconds: float = 30.0) -> None:
        """Waits until the service's read models show its own log; `TimeoutError` if they do not."""
        if self.worker is not None and self.owns_events:
            await self.worker.wait_for(self.name, await self.store.position(), seconds)

    async def clock_moved(self, _: Appended) -> None:
        """After a move: what has become due is done before the move is answered, if it can be."""
        await self.clock.refresh()
        if self.scheduler is not None:
            await self.scheduler.turn_if_possible()

    async def wait_for(self, source: str, position: int, seconds: float) -> None:
        """Waits for the projections that read `source`; `KeyError` if there is none."""
        if not any(source in projection.sources for projection in self.parts.projections):
            raise KeyError(source)
        assert self.worker is not None
        await self.worker.wait_for(source, position, seconds)

    async def wait_until_acted(self, source: str, position: int, seconds: float) -> None:
        """Waits for all that reads `source`, for what its policies do about it, and to see that."""
        assert self.worker is not None
        names = [consumer.name for consumer in (*self.parts.projections, *self.parts.policies)]
        await self.worker.wait_for(source, position, seconds, names)
        if source != self.name:
            await self.settled(seconds)

    def ticks(self) -> list[Callable[[datetime], Awaitable[Sequence[Command]]]]:
        return [partial(due, self) for due in self.parts.ticks]


def assemble(
    settings: Settings,
    *,
    name: str,
    title: str,
    description: str = "",
    routers: Sequence[Callable[[Service], APIRouter]] = (),
    identity: Authenticator | None = None,
    **parts: Any,
) -> Service:
    """A service that is not started yet. `parts` are the members of `Parts`.

    Each router is made of the service and takes what it needs from it at each request. `decider`
    None makes a service without events of its own.
    """
    own = Parts(**parts)
    service = Service(name, settings, own, _clock(name, settings, own))
    service.app = create_app(
        name,
        settings,
        title=title,
        description=description,
        checks=service.checks,
        identity=identity,
    )
    service.app.state.wait_for = service.wait_for
    openapi.include(service.app, operations_router(service))
    if own.commands:
        commands = command_router(
            name,
            own.commands,
            lambda: service.handler,
            service.context,
            most_lines=settings.max_upload_lines,
        )
        openapi.include(service.app, commands)
    if isinstance(service.clock, SimulatedClock):
        openapi.include(service.app, _clock_router(service))
    for router in routers:
        openapi.include(service.app, router(service))
    return service


def _clock(name: str, settings: Settings, parts: Parts) -> BusinessClock:
    if settings.clock == "simulated" and parts.decider is not None:
        return SimulatedClock(name, settings.clock_start)
    return RealClock()


def _clock_router(service: Service) -> APIRouter:
    return command_router(
        service.name,
        (MoveClock,),
        lambda: service.clock_handler,
        service.context,
        bulk=False,
        after=service.clock_moved,
    )


def clock_handler(service: Service) -> CommandHandler:
    start = service.settings.clock_start
    decider = ClockDecider(service.name, service.settings.cell, start)
    return CommandHandler(service.store, decider)
