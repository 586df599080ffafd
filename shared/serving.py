"""Running a service: opened with patience, watched, and closed in order.

A part that ends by itself ends the process with status 1; whoever supervises it starts it again.
"""

import asyncio
import logging
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, nullcontext, suppress
from functools import partial
from typing import Any, NoReturn

import asyncpg
import uvicorn
import uvloop
from pydantic import ValidationError

from shared import memory
from shared.clock import SimulatedClock
from shared.opening import StartFailed, open_service
from shared.runtime import Service
from shared.settings import Settings
from shared.telemetry import setup
from shared.telemetry.tracing import shutdown

log = logging.getLogger(__name__)


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


def _works(service: Service, roles: Collection[str]) -> Iterator[tuple[str, Coroutine]]:
    if service.relay is not None:
        yield "relay", service.relay.run()
    if service.responder is not None:
        yield "responder", service.responder.run()
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
    memory.settle()


async def _alive(part: asyncio.Task) -> None:
    if part.done():
        raise RuntimeError("ended")


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
        await asyncio.wait([http], timeout=settings.stop_timeout + 1)


async def _starting() -> None:
    raise RuntimeError("not all is open yet")
