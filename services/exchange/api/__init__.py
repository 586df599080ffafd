"""The HTTP face of the exchange beside its commands: queries, the directory's import, webhooks."""

from services.exchange.api.imports import imports_router
from services.exchange.api.queries import queries_router
from services.exchange.api.webhooks import webhooks_router

__all__ = ["imports_router", "queries_router", "webhooks_router"]
