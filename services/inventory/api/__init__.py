"""The HTTP face of inventory beside its commands: queries, documents, imports."""

from services.inventory.api.documents import documents_router
from services.inventory.api.imports import imports_router
from services.inventory.api.queries import queries_router

__all__ = ["documents_router", "imports_router", "queries_router"]
