"""Inventory, composed."""

from services.inventory.api import documents_router, imports_router, queries_router
from services.inventory.domain.decider import COMMANDS, InventoryDecider
from services.inventory.policies import ReplaceDamaged
from services.inventory.projections.inventory import Inventory
from shared.documents.api import verify_router
from shared.runtime import Service, assemble
from shared.settings import Settings
from shared.web.auth import Authenticator

DESCRIPTION = "What exists, where, is it enough: items, needs, sites, stock, packing."


def build(settings: Settings, identity: Authenticator | None = None) -> Service:
    """The service, not started yet; `identity` None believes the settings' issuer."""
    return assemble(
        settings,
        name="inventory",
        title="Inventory",
        description=DESCRIPTION,
        decider=InventoryDecider(),
        commands=COMMANDS,
        callers={"custody": frozenset({"service"})},
        projections=(Inventory(),),
        policies=(ReplaceDamaged(),),
        routers=(queries_router, documents_router, verify_router, imports_router),
        identity=identity,
    )
