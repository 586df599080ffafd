"""The exchange, composed."""

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
    return assemble(
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
