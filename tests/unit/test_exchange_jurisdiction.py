"""A person of one region changes no other's agencies and takes no number of its registers."""

from typing import Any

from exchange_facts import DECIDER, POLDA, context, draft

from services.exchange.domain import agencies
from services.exchange.domain.errors import NotSender
from services.exchange.domain.issuing import IssueLetter
from shared.testing.scenario import given


def issue(work_unit: str) -> IssueLetter:
    return IssueLetter(
        letter="L-1", classification="PP.08", document="SD", work_unit=work_unit, signer="p-1"
    )


def test_the_number_is_taken_from_a_register_of_ones_own_region() -> None:
    regions: dict[str, Any] = {
        unit: list(DECIDER.regions(issue(unit), {}))
        for unit in ("31", "3171", "3171/2", "3171011001")
    }
    assert regions == {
        "31": ["31"],
        "3171": ["31.71"],
        "3171/2": ["31.71"],
        "3171011001": ["31.71.01.1001"],
    }


def test_who_describes_an_agency_anew_must_cover_what_it_had() -> None:
    office = {"office": "POLDA-METRO-JAYA.X", "title": "X", "rank": 1}
    again = agencies.RegisterAgency(
        agency="POLDA-METRO-JAYA",
        agency_name="X",
        sector="police",
        region="31.71",
        jurisdiction=("31.71",),
        offices=(office,),
    )
    states = {agencies.stream("POLDA-METRO-JAYA"): POLDA}
    assert {*POLDA.jurisdiction, POLDA.region} <= set(DECIDER.regions(again, states))


def test_nobody_writes_in_the_name_of_another_agency() -> None:
    given(by=DECIDER).when(draft(), context("BAWASLU")).then(NotSender)
