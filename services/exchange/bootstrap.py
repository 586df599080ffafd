"""The exchange, composed."""

import asyncio

from services.exchange.api import documents_router, imports_router, queries_router, webhooks_router
from services.exchange.carrier import Carrier
from services.exchange.deadlines import escalations
from services.exchange.documents.letters import LetterDocuments
from services.exchange.domain.decider import COMMANDS, ExchangeDecider
from services.exchange.lookups import facts
from services.exchange.policies import CloseWithdrawn, Notify, Render, Supplement
from services.exchange.projections.exchange import Letters
from services.exchange.projections.sites import Sites
from services.exchange.webhooks.dispatcher import deliver
from shared.bus.accounts import AGENCIES
from shared.bus.connection import connect
from shared.bus.lead import Lead
from shared.documents import Renderer
from shared.runtime import Service, assemble
from shared.settings import Settings
from shared.vault.api import people_router
from shared.web.auth import Authenticator

DESCRIPTION = "Who was told what, what they answered, what they did: agencies, letters, notices."


def build(settings: Settings, identity: Authenticator | None = None) -> Service:
    """The service, not started yet; `identity` None believes the settings' issuer."""
    documents = LetterDocuments(lambda: service.store, f"{settings.reached_at}/verify", Renderer())
    service = assemble(
        settings,
        name="exchange",
        title="Exchange",
        description=DESCRIPTION,
        decider=ExchangeDecider(),
        commands=COMMANDS,
        facts=facts,
        projections=(Letters(), Sites()),
        policies=(Notify(), Render(documents), Supplement(), CloseWithdrawn()),
        ticks=(escalations,),
        background=(("worker", carry), ("worker", deliver)),
        routers=(queries_router, imports_router, documents_router, people_router, webhooks_router),
        identity=identity,
    )
    return service


async def carry(service: Service) -> None:
    """A carrier for each agency that is served over NATS."""
    async with asyncio.TaskGroup() as group:
        for agency in AGENCIES:
            group.create_task(_carry(service, agency))


async def _carry(service: Service, agency: str) -> None:
    settings = service.settings
    name = f"kawal-{service.name}-carrier"
    nats = await connect(settings.nats_url, settings.nats_user, settings.nats_password, name)
    lead = Lead(settings.database_url, f"carrier-{agency}")
    try:
        carrier = Carrier(service.store, service.pool, nats, agency, settings.cell, lead=lead)
        await carrier.run()
    finally:
        await nats.close()
