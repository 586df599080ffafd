"""The exchange, composed."""

from functools import partial

from services.exchange.api import directory_router, queries_router
from services.exchange.domain.decider import COMMANDS, ExchangeDecider
from services.exchange.lookups import escalations, facts
from services.exchange.policies import CloseWithdrawn, Notify, Supplement
from services.exchange.projections.exchange import Letters
from services.exchange.projections.sites import Sites
from shared.runtime import Service, assemble
from shared.settings import Settings
from shared.web.auth import Authenticator

DESCRIPTION = "Who was told what, what they answered, what they did: agencies, letters, notices."


def build(settings: Settings, identity: Authenticator | None = None) -> Service:
    """The service, not started yet."""
    service = assemble(
        settings,
        name="exchange",
        title="Exchange",
        description=DESCRIPTION,
        decider=ExchangeDecider(),
        commands=COMMANDS,
        facts=facts,
        projections=(Letters(), Sites()),
        policies=(Notify(), Supplement(), CloseWithdrawn()),
        ticks=(escalations,),
        routers=(queries_router, directory_router),
        identity=identity,
    )
    service.app.state.wait_for = partial(acted_on, service)
    return service


async def acted_on(service: Service, source: str, position: int, seconds: float) -> None:
    """Waits until what `source` reported is shown, its policies have acted, and that is shown too.

    `KeyError` if nothing here reads from it.
    """
    readers = (*service.parts.projections, *service.parts.policies)
    names = [reader.name for reader in readers if source in reader.sources]
    if not names or service.worker is None:
        raise KeyError(source)
    await service.worker.wait_for(source, position, seconds, names)
    if source != service.name:
        await service.settled(seconds)
