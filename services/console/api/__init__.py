"""The HTTP face of the control room: the page, its figures, and the live feed."""

from services.console.api.queries import queries_router

__all__ = ["queries_router"]
