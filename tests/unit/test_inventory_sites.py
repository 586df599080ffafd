"""Storage sites: proposed, surveyed, letter to the owner, ready, rejected, replaced; hazards."""

import pytest
from inventory_facts import (
    CHECKLIST,
    KELURAHAN,
    TPS,
    WAREHOUSE,
    proposed,
    ready,
    ready_site,
    station,
    surveyed,
)
from pydantic import ValidationError

from services.inventory.domain.decider import InventoryDecider
from services.inventory.domain.errors import AlreadyExists, WrongState
from services.inventory.domain.findings import CloseFinding, ReportHazard
from services.inventory.domain.sites import (
    ConfirmSite,
    InspectSite,
    ProposeSite,
    RejectSite,
    ReplaceSite,
    SendOwnerLetter,
    SurveySite,
)
from shared.contracts.inventory import (
    FindingClosed,
    FindingRaised,
    OwnerLetterSent,
    SiteInspected,
    SiteRejected,
    SiteReplaced,
    SiteSurveyed,
)
from shared.errors import NotFound
from shared.testing.scenario import given

INVENTORY = InventoryDecider()
LETTER = OwnerLetterSent(region="31.71", site=WAREHOUSE, letter_number="1/PP.08-SD/3171/2023")
REJECTED = SiteRejected(region="31.71", site=WAREHOUSE, reason="hall on the 4th floor")
SURVEY = SurveySite(site=WAREHOUSE, checklist=CHECKLIST)
CONFIRM = ConfirmSite(site=WAREHOUSE, opens_on="2023-10-01", closes_on="2024-03-31", contact="p-7")
REJECT = RejectSite(site=WAREHOUSE, reason="hall on the 4th floor")
SEND = SendOwnerLetter(site=WAREHOUSE, letter_number="1/PP.08-SD/3171/2023")
FLOOD = FindingRaised(
    region="31.71",
    finding=f"hazard.{WAREHOUSE}",
    finding_kind="hazard",
    site=WAREHOUSE,
    detail="flood: ankle deep",
)


def test_a_site_is_proposed_once():
    event = proposed()
    fields = event.model_dump(exclude={"name"})
    command = ProposeSite(site_name=event.name, **fields)
    given(by=INVENTORY).when(command).then(event)
    given(event, by=INVENTORY).when(command).then(AlreadyExists)


def test_a_survey_names_the_points_that_are_not_met():
    gappy = CHECKLIST | {"cctv": False, "pallets": False}
    event = SiteSurveyed(region="31.71", site=WAREHOUSE, checklist=gappy, gaps=("cctv", "pallets"))
    command = SurveySite(site=WAREHOUSE, checklist=gappy)
    given(proposed(), by=INVENTORY).when(command).then(event)


def test_a_surveyed_site_is_confirmed_with_or_without_a_letter_to_its_owner():
    given(proposed(), surveyed(), by=INVENTORY).when(CONFIRM).then(ready())
    given(proposed(), surveyed(), by=INVENTORY).when(SEND).then(LETTER)
    given(proposed(), surveyed(), LETTER, by=INVENTORY).when(CONFIRM).then(ready())


def test_a_survey_after_the_letter_does_not_take_the_letter_back():
    scenario = given(proposed(), surveyed(), LETTER, surveyed(), by=INVENTORY)
    assert scenario.state(f"site-{WAREHOUSE}").state == "letter-to-owner"


@pytest.mark.parametrize(
    ("past", "command"),
    [
        ((proposed(),), CONFIRM),
        (ready_site(), SURVEY),
        (ready_site(), SEND),
        (ready_site(), CONFIRM),
        ((proposed(), REJECTED), REJECT),
        ((proposed(), REJECTED), CONFIRM),
    ],
)
def test_a_step_out_of_order_is_refused(past, command):
    given(*past, by=INVENTORY).when(command).then(WrongState)


@pytest.mark.parametrize("command", [SURVEY, SEND, CONFIRM, REJECT])
def test_an_unknown_site_is_not_found(command):
    given(by=INVENTORY).when(command).then(NotFound)


def test_a_ready_site_may_still_be_rejected_with_the_reason():
    given(*ready_site(), by=INVENTORY).when(REJECT).then(REJECTED)


def test_a_rejected_site_is_replaced_by_another_that_is_known_and_usable():
    command = ReplaceSite(site=WAREHOUSE, replaced_by="GUDANG-2")
    event = SiteReplaced(region="31.71", site=WAREHOUSE, replaced_by="GUDANG-2")
    past = (proposed(), REJECTED)
    given(*past, proposed("GUDANG-2"), by=INVENTORY).when(command).then(event)
    given(*past, by=INVENTORY).when(command).then(NotFound)
    given(*past, proposed("GUDANG-2"), event, by=INVENTORY).when(command).then(WrongState)
    itself = ReplaceSite(site=WAREHOUSE, replaced_by=WAREHOUSE)
    given(proposed(), by=INVENTORY).when(itself).then(WrongState)


def test_a_site_does_not_close_before_it_opens():
    with pytest.raises(ValidationError):
        ConfirmSite(site="G", opens_on="2024-01-02", closes_on="2024-01-01", contact="p")


def test_inspections_are_logged_in_any_state():
    command = InspectSite(site=WAREHOUSE, hazard="leak", note="roof")
    event = SiteInspected(region="31.71", site=WAREHOUSE, hazard="leak", note="roof")
    given(proposed(), REJECTED, by=INVENTORY).when(command).then(event)


def test_a_hazard_is_a_finding_once_while_it_is_open():
    report = ReportHazard(site=WAREHOUSE, hazard="flood", note="ankle deep")
    given(proposed(), by=INVENTORY).when(report).then(FLOOD)
    given(proposed(), FLOOD, by=INVENTORY).when(report).then(WrongState)
    closed = FindingClosed(**FLOOD.model_dump(exclude={"detail"}), remedy="pumped out")
    close = CloseFinding(finding=FLOOD.finding, remedy="pumped out")
    given(proposed(), FLOOD, by=INVENTORY).when(close).then(closed)
    given(proposed(), FLOOD, closed, by=INVENTORY).when(close).then(WrongState)
    given(proposed(), FLOOD, closed, by=INVENTORY).when(report).then(FLOOD)
    given(by=INVENTORY).when(close).then(NotFound)


def test_a_hazard_at_a_polling_station_names_the_station():
    report = ReportHazard(tps=TPS, hazard="unrest", note="crowd")
    [event] = given(*station(), by=INVENTORY).when(report).events
    assert (event.finding, event.tps, event.region) == (f"hazard.{TPS}", TPS, KELURAHAN)
    given(by=INVENTORY).when(report).then(NotFound)


def test_a_hazard_is_at_one_place():
    for places in ({}, {"tps": TPS, "site": WAREHOUSE}):
        with pytest.raises(ValidationError):
            ReportHazard(**places, hazard="flood", note="x")


def test_the_operator_must_cover_the_regions_of_both_sites_of_a_replacement():
    command = ReplaceSite(site=WAREHOUSE, replaced_by="GUDANG-2")
    past = (proposed(), proposed("GUDANG-2", "31.74"))
    states = given(*past, by=INVENTORY).when(command).states
    assert sorted(INVENTORY.regions(command, states)) == ["31.71", "31.74"]
