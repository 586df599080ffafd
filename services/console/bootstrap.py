"""The control room, composed."""

from functools import partial

from services.console.api import router
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
        routers=(partial(router, peers=peers),),
        background=(("api", lambda _: peers.follow()),),
        identity=identity,
    )
