"""What a letter says: skeleton, tembusan, attachments; and that hundreds of rows are rendered."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from exchange_facts import DIRECTORY, NOW, WAREHOUSE, agency, drafted, issued, site

from services.exchange.documents import layout, letter
from services.exchange.documents.letter import Issued, Original
from services.exchange.documents.letters import LETTER
from services.exchange.domain import letters
from shared.contracts.exchange import ScheduleRow, SiteChange
from shared.documents import Source, render

SHIPPED = layout.shipped()


def an_issued(original: Original | None = None, **changes: Any) -> Issued:
    state = letters.evolve(letters.NOTHING, drafted(**changes))
    event = issued()
    agencies = {each.agency: each for each in DIRECTORY}
    return Issued(letters.evolve(state, event), event, NOW, agencies, original)


def said(original: Original | None = None, **changes: Any) -> dict[str, Any]:
    return letter.data(an_issued(original, **changes), SHIPPED)


def row(n: int) -> ScheduleRow:
    return ScheduleRow(
        region=f"31.71.01.{1000 + n}",
        name=f"Kelurahan {n}",
        stations=40,
        boxes=160,
        starts_at=NOW,
        ends_at=NOW + timedelta(days=3),
    )


def test_a_letter_is_for_the_head_of_the_agency_under_the_attention_of_the_office() -> None:
    assert said()["addressee"] == {
        "head": "KAPOLDA",
        "attention": "KARO-OPS",
        "agency": "POLDA-METRO-JAYA",
    }
    to_the_head = said(attention="POLDA-METRO-JAYA.KAPOLDA")
    assert to_the_head["addressee"]["attention"] == ""


def test_place_date_nature_and_number_of_attachments_are_said_in_indonesian() -> None:
    found = said(schedule=(row(1),))
    assert (found["place"], found["date"], found["nature"]) == (
        "Jakarta",
        "30 Oktober 2023",
        "Segera",
    )
    assert found["attachments"] == "2 (dua) berkas"
    assert found["attached"] == ["Daftar percetakan dan gudang", "Jadwal distribusi per kelurahan"]
    assert said(sites=())["attachments"] == "-"


def test_copies_are_office_holders_in_the_order_of_their_rank() -> None:
    assert said()["copies"] == ["KAJATI", "KETUA", "KETUA"]
    assert said(copies=("BAWASLU-DKI.KETUA",))["copies"] == ["KETUA"]


def test_copies_are_numbered_only_if_there_are_several_and_never_for_the_file() -> None:
    template = LETTER.files["letter.typ"].decode()
    assert "data.copies.len() == 1 { data.copies.first() } else" in template
    assert "Arsip" not in template and "sebagai laporan" not in template


def test_attachment_one_describes_each_place() -> None:
    place = WAREHOUSE.model_copy(update={"opens_on": "2023-11-01", "contact": "p-7"})
    [found] = said(sites=(place,))["sites"]
    assert found == {
        "name": "Gudang GUDANG-31.71",
        "function": "Gudang KPU kabupaten/kota",
        "contents": SHIPPED.functions["city-warehouse"].contents,
        "region": "31.71",
        "address": "Jalan Salemba Raya",
        "owner": "Pemprov DKI Jakarta",
        "coordinates": "-6.180000, 106.835000",
        "capacity": "400",
        "cctv": "Ada",
        "opens": "01-11-2023",
        "closes": "",
        "contact": "p-7",
    }


def test_the_letter_counts_places_with_and_without_cctv_and_kelurahan() -> None:
    dark = site("PPK-31.71.02").model_copy(update={"cctv": False})
    totals = said(sites=(WAREHOUSE, dark), schedule=(row(1), row(2)))["totals"]
    assert totals == {
        "sites": "2",
        "cctv": "1",
        "no_cctv": "1",
        "kelurahan": "2",
        "stations": "80",
        "boxes": "320",
    }


def test_a_supplement_names_its_letter_and_only_the_differences() -> None:
    original = Original("1/PP.08-SD/3171/2023", NOW, {WAREHOUSE.site: WAREHOUSE})
    new = site("GUDANG-31.71-B")
    gone = SiteChange(site=WAREHOUSE.site, change="replaced", replaced_by=new.site)
    found = said(
        original,
        letter_kind="supplementary",
        supplements="PAM-31.71",
        sites=(new,),
        changes=(SiteChange(site=new.site, change="added"), gone),
    )
    assert found["original"] == "nomor 1/PP.08-SD/3171/2023 tanggal 30 Oktober 2023"
    assert [(each["name"], each["change"], each["detail"]) for each in found["changes"]] == [
        ("Gudang GUDANG-31.71-B", "Tempat baru", ""),
        ("Gudang GUDANG-31.71", "Diganti", "Diganti oleh Gudang GUDANG-31.71-B"),
    ]
    assert [each["name"] for each in found["sites"]] == ["Gudang GUDANG-31.71-B"]
    assert found["attached"][0] == "Perubahan tempat"


@pytest.mark.parametrize(("micro", "shown"), [(-5, "-0.000005"), (106_835_000, "106.835000")])
def test_microdegrees_are_shown_as_degrees(micro: int, shown: str) -> None:
    assert letter.degrees(micro) == shown


def test_the_persons_of_a_letter_are_its_signer_its_contact_and_those_of_the_places() -> None:
    place = WAREHOUSE.model_copy(update={"contact": "p-7"})
    issued_letter = an_issued(sites=(place,))
    assert letter.people(issued_letter, SHIPPED) == {
        "person-ketua",
        "p-7",
        SHIPPED.contacts["KPU-DKI"],
    }


def test_an_agency_without_a_letterhead_of_its_own_writes_under_its_name() -> None:
    other = an_issued(sender="KPU-JAKSEL")
    stranger = agency("KPU-JAKSEL", "kpu", ("KETUA", 4))
    other = replace(other, agencies={**other.agencies, "KPU-JAKSEL": stranger})
    head = letter.data(other, SHIPPED)["letterhead"]
    assert (head["lines"], head["place"]) == (("KPU-JAKSEL",), "Jakarta")


def test_what_a_classification_stands_for_is_read_from_the_number() -> None:
    assert SHIPPED.classification("85/PR.05-BA/3673/4/2024") == "Pemusnahan"
    assert SHIPPED.classification("85/XX.99-BA/3673/2024") == ""


def test_attachments_of_three_hundred_rows_are_rendered_in_full() -> None:
    sites = tuple(site(f"PPS-{n}") for n in range(300))
    found = an_issued(sites=sites, schedule=tuple(map(row, range(300))))
    source = Source(
        template=LETTER,
        layout=layout.page(SHIPPED),
        data=letter.data(found, SHIPPED),
        at=NOW,
        number=found.event.number,
        verify_url="http://kawal.test/verify",
    )
    content = render(source).content
    assert content.startswith(b"%PDF-")
    assert content.count(b"/Type/Page") + content.count(b"/Type /Page") > 15
