"""Official documents: rendered as PDF by typst, kept by their hash."""

from shared.documents.rendering import Document, Renderer, Source, render
from shared.documents.templates import Template

__all__ = ["Document", "Renderer", "Source", "Template", "render"]
