"""Agencies, notices, coverage: who is told, once; and what ends with a site."""

from exchange_facts import DECIDER, POLDA, context

from services.exchange.domain import errors
from services.exchange.domain.agencies import RegisterAgency
from services.exchange.domain.coverage import CloseCoverage
from services.exchange.domain.notices import SendNotice
from shared.contracts.exchange import CoverageClosed, NoticeSent
from shared.testing.scenario import given

ID = "018f0000-0000-7000-8000-000000000001"


def notice(topic: str, *regions: str) -> SendNotice:
    return SendNotice(
        notice=ID,
        topic=topic,
        about="custody.consignment-departed.v1",
        subject="OUT-31.71.01.1001-001",
        region=regions[0],
        regions=regions,
        summary="Kiriman berangkat",
    )


def sent(region: str, *agencies: str, concerned: tuple[str, ...] = ()) -> NoticeSent:
    return NoticeSent(
        region=region,
        notice=ID,
        topic="departure",
        about="custody.consignment-departed.v1",
        subject="OUT-31.71.01.1001-001",
        agencies=agencies,
        summary="Kiriman berangkat",
        concerned=concerned,
    )


def test_a_notice_goes_to_every_agency_whose_jurisdiction_covers_a_region_of_the_fact() -> None:
    regions = ("31.71", "31.71.01.1001")
    expected = sent("31.71", "POLDA-METRO-JAYA", "POLRES-PUSAT", concerned=regions)
    wish = notice("departure", *regions)
    given(by=DECIDER).when(wish, context()).then(expected)


def test_another_city_s_police_is_not_told() -> None:
    wish = notice("departure", "31.75.01.1001")
    given(by=DECIDER).when(wish, context()).then(sent("31.75.01.1001", "POLDA-METRO-JAYA"))


def test_a_route_through_two_provinces_concerns_both() -> None:
    regions = ("31.75", "32.75")
    expected = sent("31.75", "POLDA-METRO-JAYA", "BAWASLU-JABAR", concerned=regions)
    given(by=DECIDER).when(notice("departure", *regions), context()).then(expected)
    assert expected.regions == regions


def test_a_fact_that_concerns_nobody_makes_no_notice() -> None:
    given(by=DECIDER).when(notice("departure", "33.01"), context()).then_nothing()
    given(by=DECIDER).when(notice("site", "32.01"), context()).then_nothing()


def test_a_fact_is_told_once() -> None:
    wish = notice("departure", "31.71")
    past = sent("31.71", "POLDA-METRO-JAYA", "POLRES-PUSAT")
    given(past, by=DECIDER).when(wish, context()).then_nothing()


def test_coverage_of_a_withdrawn_site_closes_once() -> None:
    wish = CloseCoverage(site="GOR-X", region="31.71.01", reason="Ditolak: bocor")
    closed = CoverageClosed(region="31.71.01", site="GOR-X", reason="Ditolak: bocor")
    given(by=DECIDER).when(wish, context()).then(closed)
    given(closed, by=DECIDER).when(wish, context()).then_nothing()


def register(**changes: object) -> RegisterAgency:
    fields = POLDA.model_dump(exclude={"name"}) | {"agency_name": POLDA.name}
    return RegisterAgency(**(fields | changes))


def test_an_agency_is_registered_with_its_offices_and_jurisdiction() -> None:
    given(by=DECIDER).when(register(), context()).then(POLDA)


def test_registering_the_same_description_again_changes_nothing() -> None:
    given(POLDA, by=DECIDER).when(register(), context()).then_nothing()


def test_a_new_description_replaces_the_old_one() -> None:
    outcome = given(POLDA, by=DECIDER).when(register(agency_name="Polda"), context())
    assert [event.name for event in outcome.events] == ["Polda"]


def test_an_office_bears_the_name_of_its_agency() -> None:
    wish = register(agency="KODAM-JAYA")
    given(by=DECIDER).when(wish, context()).then(errors.ForeignOffice)


def test_who_registers_an_agency_must_cover_its_jurisdiction() -> None:
    wish = register(jurisdiction=("31.71", "31.72"))
    assert set(DECIDER.regions(wish, {})) == {"31", "31.71", "31.72"}
