"""The HTTP face of the exchange beside its commands: queries and the directory's import."""

from services.exchange.api.imports import imports_router
from services.exchange.api.queries import queries_router

__all__ = ["imports_router", "queries_router"]
