"""The console, composed."""

from functools import partial

from services.console.api import queries_router
from services.console.peers import Peers
from services.console.projections.overview import Overview
from shared.runtime import Service, assemble
from shared.settings import Settings
from shared.web.auth import Authenticator

DESCRIPTION = "The control room: one overview across inventory, custody and exchange."


def build(settings: Settings, identity: Authenticator | None = None) -> Service:
    """The service, not started yet; `identity` None believes the settings' issuer."""
    peers = Peers(settings.peers)
    return assemble(
        settings,
        name="console",
        title="Console",
        description=DESCRIPTION,
        projections=(Overview(),),
        background=(("api", lambda _: peers.follow()),),
        routers=(partial(queries_router, peers=peers),),
        identity=identity,
    )
