"""Keeps webhooks going: the one process whose turn it is fills the queues and runs the couriers."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import AsyncExitStack
from functools import partial
from uuid import NAMESPACE_URL, uuid5

import asyncpg

from services.exchange.domain.endpoints import GiveUpEndpoint
from services.exchange.webhooks import metrics
from services.exchange.webhooks.courier import Courier
from services.exchange.webhooks.events import Events
from services.exchange.webhooks.filler import Filler
from services.exchange.webhooks.queries import SQL
from services.exchange.webhooks.sender import Sender
from services.exchange.webhooks.settings import WebhookSettings
from shared.bus import cloudevents
from shared.bus.cancellation import heed
from shared.bus.lead import Alone, Lead
from shared.bus.wake import Alarm
from shared.clock.scheduler import fingerprint
from shared.errors import Refused
from shared.eventstore import Request
from shared.runtime import Service

log = logging.getLogger(__name__)

PAUSE_SECONDS = 0.5
NOW_AND_THEN = 60.0
CONNECTIONS = 8
# A lost note of a delivery means the delivery once more, under the same id.
SESSION = {"jit": "off", "synchronous_commit": "off"}
_IDS = uuid5(NAMESPACE_URL, "urn:kawal:give-up-endpoint")


async def deliver(service: Service) -> None:
    """The webhooks of a service, for as long as it runs."""
    name = {"application_name": f"kawal-{service.name}-webhooks"}
    async with asyncpg.create_pool(
        service.settings.database_url,
        min_size=0,
        max_size=CONNECTIONS,
        command_timeout=60,
        server_settings=SESSION | name,
    ) as pool:
        lead = Lead(service.settings.database_url, "webhooks")
        await Dispatcher(service, pool, WebhookSettings(), lead=lead).run()


class Dispatcher:
    def __init__(
        self,
        service: Service,
        pool: asyncpg.Pool,
        settings: WebhookSettings,
        *,
        lead: Alone | Lead | None = None,
    ) -> None:
        self._service = service
        self._pool = pool
        self._settings = settings
        self._lead = lead or Alone()
        self._alarm = Alarm()
        self._looked = float("-inf")

    async def run(self) -> None:
        """Until cancelled; after any error it looks again where the queue is."""
        store = self._service.store
        store.on_append.append(self._alarm.appended)
        try:
            while True:
                heed()
                try:
                    async with self._lead.held() as lost:
                        await self._turn(lost)
                except Exception as error:
                    log.warning("webhooks: %s: %s", type(error).__name__, error)
                await asyncio.sleep(PAUSE_SECONDS)
        finally:
            store.on_append.remove(self._alarm.appended)

    async def _turn(self, lost: asyncio.Event) -> None:
        filler = await Filler.open(self._service.store, self._pool)
        async with AsyncExitStack() as stack:
            sender = await stack.enter_async_context(Sender(self._settings))
            source = cloudevents.source(self._service.name, self._service.settings.cell)
            events = Events(self._service.store, source)
            couriers = Couriers(partial(self._courier, sender=sender, events=events))
            stack.push_async_callback(couriers.close)
            while not lost.is_set():
                heed()
                more = await filler.turn()
                couriers.wake([row["endpoint"] async for row in SQL.due(self._pool)])
                await self._now_and_then()
                if not more:
                    await self._alarm.sleep(self._settings.poll)

    def _courier(self, endpoint: str, *, sender: Sender, events: Events) -> Courier:
        return Courier(
            endpoint,
            events=events,
            pool=self._pool,
            sender=sender,
            settings=self._settings,
            give_up=self._give_up,
        )

    async def _now_and_then(self) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._looked < NOW_AND_THEN:
            return
        self._looked = now
        metrics.OLDEST.set(await SQL.oldest(self._pool) or 0.0)
        await SQL.forget(self._pool, days=self._settings.keep_days)

    async def _give_up(self, endpoint: str, reason: str, attempt: int) -> None:
        """Once for a try; what was decided meanwhile by somebody else stands."""
        command = GiveUpEndpoint(endpoint=endpoint, reason=reason)
        context = await self._service.own_context((command,))
        command_id = uuid5(_IDS, f"{endpoint}\n{attempt}")
        request = Request(command, command_id, fingerprint(command), context)
        try:
            await self._service.handler.handle(request)
        except Refused as refusal:
            log.info("endpoint %s was not disabled: %s", endpoint, refusal)


class Couriers:
    """A task for each endpoint to which something is sent; `wake` starts those that rest."""

    def __init__(self, make: Callable[[str], Courier]) -> None:
        self._make = make
        self._running: dict[str, tuple[Courier, asyncio.Task[None]]] = {}

    def wake(self, endpoints: list[str]) -> None:
        for endpoint in endpoints:
            courier, task = self._running.get(endpoint) or (None, None)
            if courier is not None and task is not None and not task.done():
                courier.wake()
                continue
            courier = self._make(endpoint)
            task = asyncio.create_task(courier.run(), name=f"webhooks-{endpoint}")
            task.add_done_callback(partial(self._ended, endpoint))
            self._running[endpoint] = courier, task

    def _ended(self, endpoint: str, task: asyncio.Task[None]) -> None:
        if self._running[endpoint][1] is task:
            del self._running[endpoint]
        if not task.cancelled() and (error := task.exception()) is not None:
            log.warning("webhooks to %s: %r", endpoint, error)

    async def close(self) -> None:
        """What is under way is broken off, and sent again by whoever comes next."""
        tasks = [task for _, task in self._running.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
