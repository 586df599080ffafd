"""The HTTP face of inventory beside its commands: queries and imports."""

from services.inventory.api.imports import imports_router
from services.inventory.api.queries import queries_router

__all__ = ["imports_router", "queries_router"]
