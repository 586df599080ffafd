"""How letters look and what they refer to: `data/layout.json`, which is there to be edited."""

from functools import cache
from pathlib import Path
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict

FILE = Path(__file__).parent.parent / "data" / "layout.json"


class Letterhead(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    lines: tuple[str, ...]
    address: str = ""
    contact: str = ""
    place: str


class SiteUse(BaseModel):
    """What a place of this function is called, and what it holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: str
    contents: str


class Layout(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    note: str = ""
    page: dict[str, str | int]
    letterheads: dict[str, Letterhead]
    signers: dict[str, str]
    """The office in the signature block by the signer's person id."""
    contacts: dict[str, str]
    """Whom the addressee may ask: a person id by sender."""
    natures: dict[str, str]
    legal_bases: dict[str, tuple[str, ...]]
    purposes: dict[str, str]
    closings: dict[str, str]
    functions: dict[str, SiteUse]
    changes: dict[str, str]
    classifications: dict[str, str]

    def letterhead(self, agency: str, name: str) -> Letterhead:
        """The agency's own; else its name, in Jakarta."""
        return self.letterheads.get(agency) or Letterhead(lines=(name.upper(),), place="Jakarta")

    def classification(self, number: str) -> str:
        """What the code in a letter's number stands for; empty if the file does not say."""
        code = number.split("/")[1].rpartition("-")[0] if number.count("/") >= 2 else ""
        return self.classifications.get(code, "")


@cache
def shipped(file: Path = FILE) -> Layout:
    """The layout of the file; a `ValidationError` names what is wrong in it."""
    return Layout.model_validate(orjson.loads(file.read_bytes()))


def page(layout: Layout) -> dict[str, Any]:
    """The part that the templates read."""
    return dict(layout.page)
