"""What a letter says: from its events, the agencies it names and the layout; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.exchange.documents.layout import Layout
from services.exchange.domain.agencies import agency_of, highest_office
from services.exchange.domain.letters import Letter
from shared.contracts.base import day
from shared.contracts.exchange import (
    AgencyRegistered,
    AttachedSite,
    LetterIssued,
    ScheduleRow,
    SiteChange,
)
from shared.documents import indonesian

MICRO = 1_000_000


@dataclass(frozen=True, slots=True)
class Issued:
    """A letter as it was issued, with all that it refers to."""

    letter: Letter
    event: LetterIssued
    at: datetime
    agencies: Mapping[str, AgencyRegistered]
    original: "Original | None" = None


@dataclass(frozen=True, slots=True)
class Original:
    """The letter that a supplement supplements."""

    number: str
    issued_at: datetime
    sites: Mapping[str, AttachedSite]
    """Every place that it, or a supplement to it, has named."""


def people(issued: Issued, layout: Layout) -> set[str]:
    """The persons that the letter names, by id."""
    contact = layout.contacts.get(issued.letter.drafted.sender)
    named = {issued.event.signer, *(site.contact for site in issued.letter.sites)}
    return {each for each in (*named, contact) if each}


def data(issued: Issued, layout: Layout) -> dict[str, Any]:
    """What the template is given; persons by id."""
    letter, drafted = issued.letter, issued.letter.drafted
    sender = issued.agencies[drafted.sender]
    head = layout.letterhead(sender.agency, sender.name)
    attachments = _attachments(letter)
    return {
        "letterhead": head.model_dump(),
        "nature": layout.natures.get(drafted.nature, drafted.nature),
        "attachments": _berkas(len(attachments)),
        "attached": attachments,
        "subject": drafted.subject,
        "place": head.place,
        "date": indonesian.date_of(day(issued.at)),
        "addressee": addressee(issued),
        "legal_bases": layout.legal_bases.get(drafted.letter_kind, ()),
        "original": _reference(issued.original),
        "purpose": layout.purposes.get(drafted.letter_kind, ""),
        "body": drafted.body.split("\n"),
        "closing": _closing(issued, layout),
        "contact": layout.contacts.get(drafted.sender, ""),
        "signer": {
            "office": layout.signers.get(issued.event.signer, sender.name),
            "person": issued.event.signer,
        },
        "copies": copies(issued),
        "sites": [_site(each, layout) for each in letter.sites],
        "totals": _totals(letter),
        "schedule": [_row(each) for each in letter.drafted.schedule],
        "changes": [_change(each, issued, layout) for each in letter.changes],
    }


def addressee(issued: Issued) -> dict[str, str]:
    """`Yth.` the head of the agency, `u.p.` the office that is to act, unless that is the head."""
    drafted = issued.letter.drafted
    agency = issued.agencies[drafted.addressee]
    head = highest_office(agency)
    attention = "" if drafted.attention == head.office else _title(issued, drafted.attention)
    return {"head": head.title, "attention": attention, "agency": agency.name}


def copies(issued: Issued) -> list[str]:
    """Office-holders in the order of the draft, which is that of their rank."""
    return [_title(issued, office) for office in issued.letter.drafted.copies]


def _closing(issued: Issued, layout: Layout) -> str:
    due = indonesian.date_of(day(issued.event.answer_due))
    return layout.closings.get(issued.letter.drafted.letter_kind, "").replace("{answer_due}", due)


def _title(issued: Issued, office: str) -> str:
    """As the directory calls it; an office that it no longer has, by its id."""
    offices = issued.agencies[agency_of(office)].offices
    return next((each.title for each in offices if each.office == office), office)


def _attachments(letter: Letter) -> list[str]:
    """Their headings, in order: a supplement tells its differences alone."""
    found = []
    if letter.changes:
        found.append("Perubahan tempat")
    if letter.sites:
        new = " yang baru atau berubah" if letter.changes else ""
        found.append(f"Daftar percetakan dan gudang{new}")
    if letter.drafted.schedule:
        found.append("Jadwal distribusi per kelurahan")
    return found


def _berkas(number: int) -> str:
    return f"{indonesian.count(number)} berkas" if number else "-"


def _reference(original: Original | None) -> str:
    if original is None:
        return ""
    return f"nomor {original.number} tanggal {indonesian.date_of(day(original.issued_at))}"


def _totals(letter: Letter) -> dict[str, str]:
    """What the police asks for: places with and without CCTV, kelurahan, polling stations."""
    watched = sum(site.cctv for site in letter.sites)
    return {
        "sites": indonesian.grouped(len(letter.sites)),
        "cctv": indonesian.grouped(watched),
        "no_cctv": indonesian.grouped(len(letter.sites) - watched),
        "kelurahan": indonesian.grouped(len(letter.drafted.schedule)),
        "stations": indonesian.grouped(sum(row.stations for row in letter.drafted.schedule)),
        "boxes": indonesian.grouped(sum(row.boxes for row in letter.drafted.schedule)),
    }


def _site(site: AttachedSite, layout: Layout) -> dict[str, str]:
    use = layout.functions.get(site.function)
    return {
        "name": site.name,
        "function": use.label if use else site.function,
        "contents": use.contents if use else "",
        "region": site.region,
        "address": site.address,
        "owner": site.owner,
        "coordinates": f"{degrees(site.latitude_udeg)}, {degrees(site.longitude_udeg)}",
        "capacity": indonesian.grouped(site.capacity_m2),
        "cctv": "Ada" if site.cctv else "Tidak",
        "opens": _date(site.opens_on),
        "closes": _date(site.closes_on),
        "contact": site.contact,
    }


def degrees(micro: int) -> str:
    """Microdegrees as decimal degrees: -6180000 -> -6.180000."""
    sign = "-" if micro < 0 else ""
    return f"{sign}{abs(micro) // MICRO}.{abs(micro) % MICRO:06}"


def _date(text: str) -> str:
    """A date of the contract, short; what is none, as it is."""
    parts = text.split("-")
    return "-".join(reversed(parts)) if len(parts) == 3 else text


def _row(row: ScheduleRow) -> dict[str, str]:
    return {
        "region": row.region,
        "name": row.name,
        "stations": indonesian.grouped(row.stations),
        "boxes": indonesian.grouped(row.boxes),
        "starts": _at(row.starts_at),
        "ends": _at(row.ends_at),
    }


def _at(at: datetime) -> str:
    return f"{day(at):%d-%m-%Y} {indonesian.clock(at)}"


def _change(change: SiteChange, issued: Issued, layout: Layout) -> dict[str, str]:
    """A withdrawn place is known from the letters before, or by its id."""
    names = {site.site: site.name for site in _known(issued)}
    by = change.replaced_by
    detail = f"Diganti oleh {names.get(by, by)}" if by else change.detail
    return {
        "site": change.site,
        "name": names.get(change.site, change.site),
        "change": layout.changes.get(change.change, change.change),
        "detail": detail,
    }


def _known(issued: Issued) -> Sequence[AttachedSite]:
    before = issued.original.sites.values() if issued.original else ()
    return (*before, *issued.letter.sites)
