"""Connecting a service to what it stands on, with patience for servers that are not there yet."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from contextlib import AsyncExitStack
from functools import partial
from typing import TypeVar

import asyncpg

from shared.bus.commands import NatsCommands
from shared.bus.connection import Client, connect
from shared.bus.lead import Lead
from shared.bus.relay import Relay
from shared.bus.replay import Nearest, Replay
from shared.bus.responder import Responder
from shared.bus.wake import Announcer
from shared.clock import Scheduler, SimulatedClock
from shared.eventstore import CommandHandler, EventStore, Unavailable
from shared.eventstore.store import keep_session
from shared.projection import Worker, stream_feeds
from shared.runtime import Service, clock_handler

log = logging.getLogger(__name__)

T = TypeVar("T")
PATIENT_PAUSES = (0.1, 0.2, 0.5, 1.0, 2.0)
SESSION = {"jit": "off"}
AWAY = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, Unavailable)


class StartFailed(Exception):
    """Something that the service needs did not come up in time. One line for a person."""


async def open_service(service: Service, roles: Collection[str], stack: AsyncExitStack) -> None:
    """Connects the service to what it stands on, waiting for servers that are not there yet."""
    settings = service.settings
    if service.owns_events:
        service.store = await _store(service, stack)
    if settings.database_url:
        service.pool = await _pool(service, stack, "api", settings.pool_size)
        service.checks["postgres"] = lambda: _answers(service.pool)
    service.nats = await _nats(service, stack, "")
    service.checks["nats"] = lambda: _connected(service.nats)
    service.replay = _replay(service)
    if service.owns_events:
        await _open_commands(service, roles, stack)
    if service.has_consumers:
        await _open_worker(service, roles, stack)
    if service.owns_events and "worker" in roles:
        service.scheduler = Scheduler(
            service.name,
            service.clock,
            service.handler,
            service.ticks(),
            service.own_context,
            settled=service.settled,
        )


async def _open_commands(service: Service, roles: Collection[str], stack: AsyncExitStack) -> None:
    parts, settings = service.parts, service.settings
    assert parts.decider is not None
    service.handler = CommandHandler(service.store, parts.decider, upcasters=parts.upcasters)
    if isinstance(service.clock, SimulatedClock):
        service.clock_handler = clock_handler(service)
        service.clock.store = service.store
        await service.clock.refresh()
    if not {"api", "relay"}.isdisjoint(roles):
        service.responder = Responder(
            service.store,
            service.name,
            settings.cell,
            partial(_connect, service, "-responder"),
            _nats_commands(service) if "api" in roles and parts.callers else None,
        )
    if "relay" in roles:
        lead = Lead(settings.database_url, f"relay-{service.name}")
        nats = await _nats(service, stack, "-relay")
        service.relay = Relay(service.store, nats, service.name, settings.cell, lead=lead)
    else:
        service.store.on_append.append(Announcer(service.nats, service.name))


async def _open_worker(service: Service, roles: Collection[str], stack: AsyncExitStack) -> None:
    parts = service.parts
    pool = service.pool
    if "worker" in roles:
        consumers = len(parts.projections) + len(parts.policies)
        pool = await _pool(service, stack, "worker", consumers + 4)
    service.worker = Worker(
        service.name,
        pool=pool,
        replay=service.replay,
        open_feed=stream_feeds(service.nats, service.settings.cell),
        projections=parts.projections,
        policies=parts.policies,
        handler=service.handler if service.owns_events else None,
        context=service.own_context if service.owns_events else None,
    )
    if service.owns_events:
        service.store.on_append.append(service.worker.log_reaches)


def _replay(service: Service) -> Replay | Nearest:
    others = Replay(service.nats)
    if not service.owns_events:
        return others
    return Nearest(service.store, service.name, service.settings.cell, others)


async def _store(service: Service, stack: AsyncExitStack) -> EventStore:
    settings = service.settings

    async def opened() -> EventStore:
        return await EventStore.open(
            settings.database_url, service=service.name, patience=settings.store_patience
        )

    store = await _patiently(service, "the event store", opened)
    stack.push_async_callback(store.close)
    await _patiently(service, "the event store", store.log_id)
    return store


async def _pool(service: Service, stack: AsyncExitStack, role: str, size: int) -> asyncpg.Pool:
    async def opened() -> asyncpg.Pool:
        return await asyncpg.create_pool(
            service.settings.database_url,
            min_size=1,
            max_size=size,
            command_timeout=60,
            server_settings=SESSION | {"application_name": f"kawal-{service.name}-{role}"},
            reset=keep_session if role == "api" else None,  # a worker's may hold an advisory lock
        )

    pool = await _patiently(service, "Postgres", opened)
    stack.callback(pool.terminate)
    return pool


def _nats_commands(service: Service) -> NatsCommands:
    commands = service.parts.commands
    return NatsCommands(service.name, commands, lambda: service.handler, service.callers_context)


async def _nats(service: Service, stack: AsyncExitStack, suffix: str) -> Client:
    try:
        client = await _connect(service, suffix)
    except TimeoutError:
        raise StartFailed(f"NATS does not answer at {service.settings.nats_url}") from None
    stack.push_async_callback(client.close)
    return client


async def _connect(service: Service, suffix: str) -> Client:
    settings = service.settings
    return await connect(
        settings.nats_url,
        settings.nats_user,
        settings.nats_password,
        f"kawal-{service.name}{suffix}",
        patience=settings.start_timeout,
    )


async def _patiently(service: Service, what: str, open: Callable[[], Awaitable[T]]) -> T:
    """What `open` gives, tried again until the settings' patience ends."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + service.settings.start_timeout
    attempt = 0
    while True:
        try:
            return await open()
        except AWAY as error:
            if loop.time() > deadline:
                raise StartFailed(f"{what} is not there: {error}") from None
            log.info("waiting for %s: %s", what, error)
        await asyncio.sleep(PATIENT_PAUSES[min(attempt, len(PATIENT_PAUSES) - 1)])
        attempt += 1


async def _answers(pool: asyncpg.Pool) -> None:
    await pool.fetchval("select 1", timeout=2)


async def _connected(nats: Client) -> None:
    if not nats.is_connected:
        raise ConnectionError("not connected")
