"""A supplementary letter tells only what changed, in one open draft for each letter."""

import pytest
from exchange_facts import (
    CITY,
    DECIDER,
    DISTRICT,
    SENT,
    WAREHOUSE,
    context,
    drafted,
    issued,
    site,
)
from pydantic import ValidationError

from services.exchange.domain import errors
from services.exchange.domain.issuing import IssueLetter
from services.exchange.domain.supplements import MOST, SupplementLetter
from shared.contracts.exchange import (
    AttachedSite,
    LetterAmended,
    LetterDrafted,
    LetterRefused,
    SiteChange,
)
from shared.errors import NotFound
from shared.testing.scenario import given

LETTER = "PAM-31.71"
ADDED = SiteChange(site=DISTRICT.site, change="added")
REPLACED = SiteChange(site=WAREHOUSE.site, change="replaced", replaced_by="GUDANG-B")


def ready(where: AttachedSite) -> SupplementLetter:
    return SupplementLetter(original=LETTER, site=where.site, change="ready", attached=where)


def rejected(where: str) -> SupplementLetter:
    return SupplementLetter(original=LETTER, site=where, change="rejected", detail="Bocor")


REPLACE = SupplementLetter(
    original=LETTER, site=WAREHOUSE.site, change="replaced", replaced_by="GUDANG-B"
)


def supplement(n: int, *changes: SiteChange, sites: tuple[AttachedSite, ...]) -> LetterDrafted:
    return drafted(
        letter=f"{LETTER}-S{n}",
        letter_kind="supplementary",
        subject="Susulan: Pengamanan logistik Pemilu 2024",
        body="Menyusuli surat nomor 1/PP.08-SD/3171/2023, disampaikan perubahan tempat sebagaimana "
        "tercantum dalam lampiran.",
        sites=sites,
        supplements=LETTER,
        changes=changes,
    )


FIRST = supplement(1, ADDED, sites=(DISTRICT,))


def test_a_site_that_became_ready_later_is_added_by_a_supplement() -> None:
    given(*SENT, by=DECIDER).when(ready(DISTRICT), context()).then(FIRST)


def test_a_site_that_the_letter_names_is_told_as_replaced() -> None:
    expected = supplement(1, REPLACED, sites=())
    given(*SENT, by=DECIDER).when(REPLACE, context()).then(expected)


def test_a_further_difference_amends_the_open_draft() -> None:
    amended = LetterAmended(
        region=CITY, letter=f"{LETTER}-S1", sites=(DISTRICT,), changes=(ADDED, REPLACED)
    )
    given(*SENT, FIRST, by=DECIDER).when(REPLACE, context()).then(amended)


def test_after_its_issue_the_next_difference_opens_another_supplement() -> None:
    past = (*SENT, FIRST, issued(f"{LETTER}-S1", 2))
    expected = supplement(2, REPLACED, sites=())
    given(*past, by=DECIDER).when(REPLACE, context()).then(expected)


def test_what_was_told_is_not_told_again() -> None:
    given(*SENT, by=DECIDER).when(ready(WAREHOUSE), context()).then_nothing()
    given(*SENT, FIRST, by=DECIDER).when(ready(DISTRICT), context()).then_nothing()
    past = (*SENT, FIRST, issued(f"{LETTER}-S1", 2))
    given(*past, by=DECIDER).when(ready(DISTRICT), context()).then_nothing()


def test_a_site_that_nobody_was_told_of_is_not_told_as_withdrawn() -> None:
    given(*SENT, by=DECIDER).when(rejected("GOR-CEMPAKA"), context()).then_nothing()


def test_a_difference_that_is_undone_before_the_issue_leaves_the_draft() -> None:
    undone = LetterAmended(region=CITY, letter=f"{LETTER}-S1", sites=(), changes=())
    given(*SENT, FIRST, by=DECIDER).when(rejected(DISTRICT.site), context()).then(undone)


def test_an_empty_supplement_cannot_be_issued() -> None:
    undone = LetterAmended(region=CITY, letter=f"{LETTER}-S1", sites=(), changes=())
    issue = IssueLetter(
        letter=f"{LETTER}-S1",
        classification="PP.08",
        document="SD",
        work_unit="3171",
        signer="p-1",
    )
    given(*SENT, FIRST, undone, by=DECIDER).when(issue, context()).then(errors.EmptySupplement)


def test_a_draft_has_no_supplement_for_its_issue_asks_again() -> None:
    given(drafted(), by=DECIDER).when(ready(DISTRICT), context()).then_nothing()


def test_a_refused_letter_has_no_supplement() -> None:
    refused = LetterRefused(region=CITY, letter=LETTER, agency="POLDA-METRO-JAYA", reason="Tidak")
    given(*SENT, refused, by=DECIDER).when(ready(DISTRICT), context()).then_nothing()


def test_an_unknown_letter_cannot_be_supplemented() -> None:
    given(by=DECIDER).when(ready(DISTRICT), context()).then(NotFound)


def test_supplements_to_one_letter_are_bounded() -> None:
    past = [*SENT]
    for n in range(1, MOST + 1):
        place = site(f"S-{n}")
        change = SiteChange(site=place.site, change="added")
        past += [supplement(n, change, sites=(place,)), issued(f"{LETTER}-S{n}", n + 1)]
    given(*past, by=DECIDER).when(REPLACE, context()).then(errors.TooManySupplements)


def test_a_ready_site_comes_with_its_description() -> None:
    with pytest.raises(ValidationError):
        SupplementLetter(original=LETTER, site="X", change="ready")
