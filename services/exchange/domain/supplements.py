"""Supplementary letters (surat susulan): only the differences since the letter was issued."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Literal

from pydantic import model_validator

from services.exchange.domain import letters
from services.exchange.domain.errors import TooManySupplements
from services.exchange.domain.letters import Letter
from shared.contracts.base import Event, Id
from shared.contracts.exchange import AttachedSite, LetterAmended, LetterDrafted, SiteChange
from shared.eventstore.command import Command

MOST = 30
"""Supplements to one letter; beyond, a new letter is clearer."""


class SupplementLetter(Command):
    """A site that an issued letter concerns has changed: tell it in the next supplement.

    The open draft is amended, or a new one drafted; what the addressee knows is not told again.
    """

    name: ClassVar[str] = "supplement-letter"
    roles: ClassVar[frozenset[str]] = frozenset({"service"})

    original: Id
    site: Id
    change: Literal["ready", "rejected", "replaced"]
    attached: AttachedSite | None = None
    replaced_by: Id | None = None
    detail: str = ""

    @model_validator(mode="after")
    def _a_ready_site_is_described(self) -> "SupplementLetter":
        if (self.change == "ready") != (self.attached is not None):
            raise ValueError("a site that is ready, and no other, comes with its description")
        return self

    def streams(self) -> tuple[str, ...]:
        candidates = (supplement_id(self.original, n) for n in range(1, MOST + 1))
        return tuple(map(letters.stream, (self.original, *candidates)))


def supplement_id(original: str, n: int) -> str:
    return f"{original}-S{n}"


def supplement_letter(
    command: SupplementLetter, states: Mapping[str, Any], context: Any
) -> Sequence[Event]:
    """Nothing for a letter that is a draft (its issue asks again), was refused, or knows it all."""
    original = letters.require(states, command.original)
    if original.state in ("drafted", "refused"):
        return ()
    sent, draft = _supplements(command.original, states)
    change = _difference(command, _known(original, sent).get(command.site))
    if draft is not None:
        return _amended(command, draft, change)
    return (_drafted(command, original, len(sent) + 1, change),) if change else ()


def _supplements(original: str, states: Mapping[str, Any]) -> tuple[list[Letter], Letter | None]:
    """Those that were issued, and the open draft."""
    found = [states[letters.stream(supplement_id(original, n))] for n in range(1, MOST + 1)]
    written = [letter for letter in found if letter.drafted is not None]
    if written and written[-1].state == "drafted":
        return written[:-1], written[-1]
    return written, None


def _known(original: Letter, sent: Iterable[Letter]) -> dict[str, bool]:
    """What the addressee knows: site -> whether it is in use."""
    known = {site.site: True for site in original.sites}
    for supplement in sent:
        known |= {each.site: each.change in ("added", "ready") for each in supplement.changes}
    return known


def _difference(command: SupplementLetter, known: bool | None) -> SiteChange | None:
    """What has to be told of the site to one who knows it as in use, withdrawn, or not at all."""
    in_use = command.change == "ready"
    if in_use == bool(known):
        return None
    return SiteChange(
        site=command.site,
        change="added" if in_use and known is None else command.change,
        replaced_by=command.replaced_by,
        detail=command.detail,
    )


def _amended(
    command: SupplementLetter, draft: Letter, change: SiteChange | None
) -> Sequence[Event]:
    sites = tuple(each for each in draft.sites if each.site != command.site)
    changes = tuple(each for each in draft.changes if each.site != command.site)
    if change is not None:
        changes += (change,)
        sites += (command.attached,) if command.attached else ()
    if (set(sites), set(changes)) == (set(draft.sites), set(draft.changes)):
        return ()
    letter = draft.drafted.letter
    return (LetterAmended(region=draft.region, letter=letter, sites=sites, changes=changes),)


def _drafted(
    command: SupplementLetter, original: Letter, n: int, change: SiteChange
) -> LetterDrafted:
    if n > MOST:
        raise TooManySupplements(f"{command.original} has {MOST} supplements.")
    first = original.drafted
    return LetterDrafted(
        region=first.region,
        letter=supplement_id(command.original, n),
        letter_kind="supplementary",
        sender=first.sender,
        addressee=first.addressee,
        attention=first.attention,
        copies=first.copies,
        subject=f"Susulan: {first.subject}",
        body=f"Menyusuli surat nomor {original.number}, disampaikan perubahan tempat sebagaimana "
        "tercantum dalam lampiran.",
        nature=first.nature,
        sites=(command.attached,) if command.attached else (),
        schedule=(),
        supplements=command.original,
        changes=(change,),
    )
