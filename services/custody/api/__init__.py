"""The HTTP face of custody beside its commands: units, consignments, incidents, documents."""

from services.custody.api.consignments import consignments_router
from services.custody.api.documents import documents_router
from services.custody.api.incidents import incidents_router
from services.custody.api.units import units_router

__all__ = ["consignments_router", "documents_router", "incidents_router", "units_router"]
