"""The HTTP face of the exchange beside its commands: queries and the directory's import."""

from services.exchange.api.directory import directory_router
from services.exchange.api.queries import queries_router

__all__ = ["directory_router", "queries_router"]
