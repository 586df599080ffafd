"""The record of a destruction: counted per kind, numbered, with its witnesses."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from services.inventory.documents import sources
from services.inventory.documents.destruction import Destruction, record
from shared.contracts.inventory import ItemDefined, SiteProposed, StockDestroyed
from shared.documents import Source, render

SITE = SiteProposed(
    region="31.71",
    site="GUDANG-31.71",
    name="Gudang KPU Jakarta Pusat",
    function="city-warehouse",
    address="Jalan Contoh 1",
    owner="KPU",
    latitude_udeg=0,
    longitude_udeg=0,
    capacity_m2=400,
    cctv=True,
    unchanged=True,
)
BALLOTS = ItemDefined(
    region="31", item="surat-suara", name="Surat suara", item_class=1, unit="lembar", per_tps=0
)
NUMBER = "85/PR.05-BA/3171/4/2024"
WITNESSES = ("BAWASLU-DKI", "POLDA-METRO-JAYA", "KODAM-JAYA", "KEJATI-DKI")


def destroyed(variant: str, good: int, damaged: int, *more: str) -> StockDestroyed:
    return StockDestroyed(
        region="31.71",
        site="GUDANG-31.71",
        item="surat-suara",
        variant=variant,
        good=good,
        damaged=damaged,
        record_number=NUMBER,
        witnesses=(*WITNESSES, *more),
    )


@pytest.fixture
def found() -> Destruction:
    return Destruction(
        site=SITE,
        at=datetime(2024, 2, 13, 4, tzinfo=UTC),
        destroyed=(destroyed("PPWP.31", 1200, 20), destroyed("DPD.31", 0, 7, "LSM-1")),
        items={"surat-suara": BALLOTS},
    )


def test_pieces_are_counted_per_kind_and_together(found: Destruction) -> None:
    said = record(found, sources.layout())
    ballots = {"item": "Surat suara", "unit": "lembar"}
    assert said["rows"] == [
        ballots
        | {"kind": "Presiden dan Wakil Presiden 31", "good": "1.200", "damaged": "20"}
        | {"sum": "1.220"},
        ballots | {"kind": "DPD 31", "good": "0", "damaged": "7", "sum": "7"},
    ]
    assert said["total"] == {"good": "1.200", "damaged": "27", "sum": "1.227"}


def test_the_day_is_that_of_jakarta_and_the_place_that_of_the_site(found: Destruction) -> None:
    said = record(found, sources.layout())
    assert (said["day"], said["clock"]) == ("Selasa, 13 Februari 2024", "11.00 WIB")
    assert (said["site"], said["address"]) == (SITE.name, SITE.address)


def test_each_witness_signs_once_for_its_institution(found: Destruction) -> None:
    assert record(found, sources.layout())["witnesses"] == [
        "Badan Pengawas Pemilihan Umum (BAWASLU-DKI)",
        "Kepolisian Negara Republik Indonesia (POLDA-METRO-JAYA)",
        "Tentara Nasional Indonesia (KODAM-JAYA)",
        "Kejaksaan Republik Indonesia (KEJATI-DKI)",
        "LSM-1",
    ]


def test_an_item_that_the_catalogue_does_not_know_is_shown_by_its_id(found: Destruction) -> None:
    said = record(replace(found, items={}), sources.layout())
    assert {row["item"] for row in said["rows"]} == {"surat-suara"}


def test_it_is_rendered_with_every_kind_and_any_number(found: Destruction) -> None:
    for number in (NUMBER, "ᬩ" * 2000):
        source = Source(
            template=sources.DESTRUCTION,
            layout=sources.layout()["page"],
            data=record(found, sources.layout()),
            at=found.at,
            number=number,
            verify_url="http://kawal.test/verify",
        )
        assert render(source).content.startswith(b"%PDF-")
        assert render(source) == render(source)
