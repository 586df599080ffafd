"""Custody put together: the only place where its parts meet."""

from collections.abc import Sequence
from datetime import datetime

from services.custody import deadlines, looking_up
from services.custody.api.consignments import consignments_router
from services.custody.api.incidents import incidents_router
from services.custody.api.units import units_router
from services.custody.domain.decider import COMMANDS, CustodyDecider
from services.custody.domain.facts import Facts
from services.custody.policies import AccountForAbsentUnits, RegisterPackedUnits
from services.custody.projections.custody import CustodyView
from services.custody.projections.places import Places
from shared.eventstore import Command
from shared.runtime import Service, assemble
from shared.settings import Settings
from shared.web.auth import Authenticator

CACHED_STATES = 200_000
"""The boxes and consignments of all DKI Jakarta on one way, some 200 MB."""


def build(settings: Settings, identity: Authenticator | None = None) -> Service:
    """The service, not started yet; `identity` None believes the settings' issuer."""
    voting_day = deadlines.Election().voting_day

    async def late(service: Service, now: datetime) -> Sequence[Command]:
        return await deadlines.late(service.pool, voting_day, now)

    async def facts(service: Service, commands: Sequence[Command]) -> Facts:
        return await looking_up.facts(service.pool, service.store, commands)

    return assemble(
        settings,
        name="custody",
        title="Kawal: custody",
        description=(
            "Who answers for every box and koli right now, and is the chain of custody unbroken: "
            "seals, consignments, hand-overs, incidents."
        ),
        decider=CustodyDecider(),
        commands=COMMANDS,
        facts=facts,
        callers={"inventory": frozenset({"service"})},
        routers=(
            units_router,
            lambda service: consignments_router(service, voting_day),
            incidents_router,
        ),
        projections=(Places(), CustodyView()),
        policies=(RegisterPackedUnits(), AccountForAbsentUnits()),
        ticks=(late,),
        cache_size=CACHED_STATES,
        identity=identity,
    )
