"""The HTTP face of the exchange beside its commands: queries, imports, documents, webhooks."""

from services.exchange.api.documents import documents_router
from services.exchange.api.imports import imports_router
from services.exchange.api.queries import queries_router
from services.exchange.api.webhooks import webhooks_router

__all__ = ["documents_router", "imports_router", "queries_router", "webhooks_router"]
