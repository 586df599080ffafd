"""Official documents: rendered as PDF by typst, kept by their hash."""

from shared.documents.renderer import NotRendered, Renderer
from shared.documents.rendering import Document, Source, render
from shared.documents.templates import Template

__all__ = ["Document", "NotRendered", "Renderer", "Source", "Template", "render"]
