"""Rendering: a pure function of template, layout, data and the people in it."""

import asyncio
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from hashlib import sha256
from typing import Any

from shared.contracts.base import canonical
from shared.documents.people import Person
from shared.documents.qr import svg
from shared.documents.templates import Template

PDF = "application/pdf"
WORKERS = min(4, os.cpu_count() or 1)


@dataclass(frozen=True, slots=True)
class Source:
    """All that a document depends on.

    `data` and `layout` hold no floats and no personal data: a person is an id in them, and
    `people` says who that is. `at` is the moment of the fact that the document records.
    """

    template: Template
    layout: Mapping[str, Any]
    data: Mapping[str, Any]
    at: datetime
    number: str
    verify_url: str
    """Where what is printed can be verified; the content's hash is appended to it."""
    people: Mapping[str, Person] = field(default_factory=dict)

    @property
    def content_sha256(self) -> str:
        """The hash of what is rendered; a person counts by the salted hash of the vault's record.

        It is printed in the document, which cannot hold its own hash.
        """
        content = {
            "template": self.template.sha256,
            "layout": self.layout,
            "data": self.data,
            "at": self.at,
            "number": self.number,
            "people": {each: person.sha256 for each, person in self.people.items()},
        }
        return sha256(canonical(content)).hexdigest()


@dataclass(frozen=True, slots=True)
class Document:
    content: bytes
    content_sha256: str
    media_type: str = PDF

    @property
    def sha256(self) -> str:
        return sha256(self.content).hexdigest()


def render(source: Source) -> Document:
    """The same source gives the same bytes, on any day, in any process."""
    import typst  # 80 MB, which only who renders needs

    content_sha256 = source.content_sha256
    url = f"{source.verify_url}/{content_sha256}"
    given = {
        "layout": source.layout,
        "data": source.data,
        "people": {each: person.shown for each, person in source.people.items()},
        "at": [source.at.year, source.at.month, source.at.day, source.at.hour, source.at.minute],
        "number": source.number,
        "content_sha256": content_sha256,
        "verify_url": url,
    }
    files = {
        **source.template.files,
        "given.json": canonical(given),
        "qr.svg": svg(f"{source.number}\n{url}"),
    }
    pdf = typst.compile(
        files,
        format="pdf",
        font_paths=_fonts(),
        ignore_system_fonts=True,
        timestamp=int(source.at.timestamp()),
    )
    assert isinstance(pdf, bytes)
    return Document(pdf, content_sha256)


@cache
def _fonts() -> Any:
    """Those that typst brings with it, read once."""
    import typst

    return typst.Fonts(include_system_fonts=False)


class Renderer:
    """Renders beside the event loop (typst leaves Python's lock alone), a few at a time."""

    def __init__(self, workers: int = WORKERS) -> None:
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="document")

    async def render(self, source: Source) -> Document:
        return await asyncio.get_running_loop().run_in_executor(self._pool, render, source)
