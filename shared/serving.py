"""Running a service: opened with patience, watched, and closed in order.

A part that ends by itself ends the process with status 1; whoever supervises it starts it again.
"""

import asyncio
import gc
import logging
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Coroutine, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, nullcontext, suppress
from functools import partial
from typing import Any, NoReturn, TypeVar

import asyncpg
import uvicorn
import uvloop
from pydantic import ValidationError

from shared.bus.connection import Client, connect
from shared.bus.lead import Lead
from shared.bus.relay import Relay
from shared.bus.replay import Replay
from shared.bus.wake import Announcer
from shared.clock import Scheduler, SimulatedClock
from shared.eventstore import CommandHandler, EventStore
from shared.projection import Worker, stream_feeds
from shared.runtime import Service, clock_handler
from shared.settings import Settings
from shared.telemetry import setup
from shared.telemetry.tracing import shutdown

log = logging.getLogger(__name__)

T = TypeVar("T")
PATIENT_PAUSES = (0.1, 0.2, 0.5, 1.0, 2.0)
SESSION = {"jit": "off"}


class StartFailed(Exception):
    """Something that the service needs did not come up in time. One line for a person."""


class PartEnded(Exception):
    """A part of the service that should run for ever has ended."""


def main(name: str, build: Callable[[Settings], Service]) -> NoReturn:
    """The program: settings from the environment; exit status 2 if it cannot start."""
    try:
        settings = Settings(service=name)
    except ValidationError as error:
        wrong = "; ".join(f"KAWAL_{e['loc'][0]}: {e['msg']}".upper() for e in error.errors()[:3])
        _exit(2, f"{name}: {wrong}")
    setup(name, settings)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve(build(settings), settings.roles))
    except (StartFailed, OSError) as error:
        _exit(2, f"{name}: {error}")
    except PartEnded as error:
        _exit(1, f"{name}: {error}")
    finally:
        shutdown()
    sys.exit(0)


def _exit(status: int, line: str) -> NoReturn:
    print(line, file=sys.stderr)
    sys.exit(status)


async def serve(service: Service, roles: Collection[str]) -> None:
    """Runs the service until SIGTERM or SIGINT; raises `StartFailed` or `PartEnded`."""
    work = asyncio.create_task(_until_a_part_ends(service, roles))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, work.cancel)
    with suppress(asyncio.CancelledError):
        await work


async def _until_a_part_ends(service: Service, roles: Collection[str]) -> NoReturn:
    async with running(service, roles) as parts:
        done, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
        part = done.pop()
        error = None if part.cancelled() else part.exception()
        log.error("%s ended", part.get_name(), exc_info=error)
        raise PartEnded(f"{part.get_name()} ended: {error or 'it said nothing'}")


@asynccontextmanager
async def running(service: Service, roles: Collection[str]) -> AsyncIterator[list[asyncio.Task]]:
    """The service at work within this block; yields its tasks. The API answers from the first.

    Afterwards: no new requests, the parts end, then what they stand on is closed.
    """
    parts: list[asyncio.Task[Any]] = []
    async with AsyncExitStack() as opened:
        async with _working(service, parts):
            async with listening(service, parts) if "api" in roles else nullcontext():
                await open_service(service, roles, opened)
                for name, work in _works(service, roles):
                    parts.append(asyncio.create_task(work, name=name))
                _ready(service, parts)
                log.info("%s runs as %s", service.name, ", ".join(sorted(roles)))
                yield parts


@asynccontextmanager
async def _working(service: Service, parts: list[asyncio.Task]) -> AsyncIterator[None]:
    """On leaving, ends what still runs."""
    try:
        yield
    finally:
        for part in parts:
            part.cancel()
        if parts:
            await asyncio.wait(parts, timeout=service.settings.stop_timeout)


# Opening


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
    service.replay = Replay(service.nats)
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


async def _open_commands(
    service: Service, roles: Collection[str], stack: AsyncExitStack
) -> None:
    parts, settings = service.parts, service.settings
    assert parts.decider is not None
    service.handler = CommandHandler(
        service.store, parts.decider, parts.cache_size, parts.upcasters
    )
    if isinstance(service.clock, SimulatedClock):
        service.clock_handler = clock_handler(service)
        service.clock.store = service.store
        await service.clock.refresh()
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


async def _store(service: Service, stack: AsyncExitStack) -> EventStore:
    dsn, name = service.settings.database_url, service.name
    store = await _patiently(service, "the event store", lambda: EventStore.open(dsn, service=name))
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
        )

    pool = await _patiently(service, "Postgres", opened)
    stack.callback(pool.terminate)
    return pool


async def _nats(service: Service, stack: AsyncExitStack, suffix: str) -> Client:
    settings = service.settings
    name = f"kawal-{service.name}{suffix}"
    try:
        client = await connect(
            settings.nats_url,
            settings.nats_user,
            settings.nats_password,
            name,
            patience=settings.start_timeout,
        )
    except TimeoutError:
        raise StartFailed(f"NATS does not answer at {settings.nats_url}") from None
    stack.push_async_callback(client.close)
    return client


async def _patiently(service: Service, what: str, open: Callable[[], Awaitable[T]]) -> T:
    """What `open` gives, tried again until the settings' patience ends."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + service.settings.start_timeout
    attempt = 0
    while True:
        try:
            return await open()
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            if loop.time() > deadline:
                raise StartFailed(f"{what} is not there: {error}") from None
            log.info("waiting for %s: %s", what, error)
        await asyncio.sleep(PATIENT_PAUSES[min(attempt, len(PATIENT_PAUSES) - 1)])
        attempt += 1


# Working


def _works(service: Service, roles: Collection[str]) -> Iterator[tuple[str, Coroutine]]:
    if service.relay is not None:
        yield "relay", service.relay.run()
    if service.worker is not None and "worker" in roles:
        yield "worker", service.worker.run()
    if service.scheduler is not None:
        yield "scheduler", service.scheduler.run()
    elif isinstance(service.clock, SimulatedClock):
        yield "clock", _follow(service.clock)
    for role, work in service.parts.background:
        if role in roles:
            yield getattr(work, "__name__", role), work(service)


async def _follow(clock: SimulatedClock) -> None:
    """Another process moves it."""
    while True:
        await asyncio.sleep(0.5)
        with suppress(*(OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)):
            await clock.refresh()


def _ready(service: Service, parts: list[asyncio.Task]) -> None:
    for part in parts:
        service.checks[part.get_name()] = partial(_alive, part)
    service.checks.pop("starting", None)
    _settle_memory()


async def _alive(part: asyncio.Task) -> None:
    if part.done():
        raise RuntimeError("ended")


async def _answers(pool: asyncpg.Pool) -> None:
    await pool.fetchval("select 1", timeout=2)


async def _connected(nats: Client) -> None:
    if not nats.is_connected:
        raise ConnectionError("not connected")


def _settle_memory() -> None:
    """Caches are large and cycles few: what lives as long as the process is not looked at again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


# HTTP


class _Server(uvicorn.Server):
    """Leaves the signals to `serve`."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def listening(service: Service, parts: list[asyncio.Task]) -> AsyncIterator[None]:
    """The API on the settings' port; not ready until the rest is."""
    settings = service.settings
    service.checks["starting"] = _starting
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        bound = socket.create_server((settings.host, settings.port), family=family, backlog=2048)
    except OSError as error:
        raise StartFailed(f"port {settings.port} on {settings.host}: {error.strerror}") from None
    config = uvicorn.Config(
        service.app,
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=int(settings.stop_timeout),
    )
    server = _Server(config)
    http = asyncio.create_task(server.serve(sockets=[bound]), name="http")
    parts.append(http)
    service.port = bound.getsockname()[1]
    try:
        yield
    finally:
        server.should_exit = True
        with suppress(Exception):
            await asyncio.wait_for(asyncio.shield(http), settings.stop_timeout + 1)


async def _starting() -> None:
    raise RuntimeError("not all is open yet")
