"""Rendering: a pure function of template, layout, data and the people in it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

from shared.contracts.base import canonical
from shared.documents.people import Person
from shared.documents.qr import svg
from shared.documents.templates import Template
from shared.documents.typesetter import typeset

PDF = "application/pdf"
MOST_ON_CODE = 100
"""Characters of the number: a code holds no more than some 2,000 bytes, and is to be read."""


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


def prepared(source: Source) -> tuple[dict[str, bytes], int]:
    """What is typeset, and the time that the document bears."""
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
        "qr.svg": svg(f"{source.number[:MOST_ON_CODE]}\n{url}"),
    }
    return files, int(source.at.timestamp())


def render(source: Source) -> Document:
    """The same source gives the same bytes, on any day, in any process."""
    return Document(typeset(*prepared(source)), source.content_sha256)
