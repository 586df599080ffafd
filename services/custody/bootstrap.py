"""Custody, composed."""

from functools import partial

from services.custody.api import (
    consignments_router,
    documents_router,
    incidents_router,
    units_router,
)
from services.custody.deadlines import Election, late
from services.custody.domain.decider import COMMANDS, CustodyDecider
from services.custody.lookups import facts
from services.custody.policies import AccountForAbsentUnits, RegisterPackedUnits
from services.custody.projections.custody import CustodyView
from services.custody.projections.places import Places
from shared.documents.api import verify_router
from shared.runtime import Service, assemble
from shared.settings import Settings
from shared.vault.api import people_router
from shared.web.auth import Authenticator

DESCRIPTION = (
    "Who answers for every box and koli right now, and is the chain of custody unbroken: "
    "seals, consignments, hand-overs, incidents."
)


def build(settings: Settings, identity: Authenticator | None = None) -> Service:
    """The service, not started yet; `identity` None believes the settings' issuer."""
    voting_day = Election().voting_day
    return assemble(
        settings,
        name="custody",
        title="Custody",
        description=DESCRIPTION,
        decider=CustodyDecider(),
        commands=COMMANDS,
        facts=facts,
        callers={"inventory": frozenset({"service"})},
        projections=(CustodyView(), Places()),
        policies=(RegisterPackedUnits(), AccountForAbsentUnits()),
        ticks=(partial(late, voting_day=voting_day),),
        routers=(
            units_router,
            partial(consignments_router, voting_day=voting_day),
            incidents_router,
            documents_router,
            verify_router,
            people_router,
        ),
        identity=identity,
    )
