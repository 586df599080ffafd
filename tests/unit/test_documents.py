"""Official documents: the same source gives the same bytes, a person counts by the vault's hash."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import orjson
import pytest
import typst

from shared.documents import NotRendered, Renderer, Source, Template, indonesian, render
from shared.documents.people import FORGOTTEN, Person
from shared.documents.rendering import prepared

ROOT = Path(__file__).parent.parent.parent
TEMPLATE = """
#import "common.typ": *
#show: official.with("Contoh")
#data.text #person("p-1") #proof
"""


@pytest.fixture
def source(tmp_path: Path) -> Source:
    (tmp_path / "toy.typ").write_text(TEMPLATE)
    return Source(
        template=Template(tmp_path, "toy"),
        layout={"paper": "a4", "font": "Libertinus Serif", "size_pt": 11},
        data={"text": "Isi"},
        at=datetime(2023, 10, 30, 1, tzinfo=UTC),
        number="1/PP.08-SD/3171/2023",
        verify_url="http://kawal.test/verify",
        people={"p-1": Person("Siti", sha256="a" * 64)},
    )


def test_the_same_source_gives_the_same_bytes(source: Source) -> None:
    assert render(source) == render(source)


OTHER_PROCESS = """
import sys, time
time.time = lambda: 4102444800.0
from datetime import datetime
from pathlib import Path
from shared.documents import Source, Template, render
from shared.documents.people import Person
source = Source(
    template=Template(Path(sys.argv[1]), "toy"),
    layout={"paper": "a4", "font": "Libertinus Serif", "size_pt": 11},
    data={"text": "Isi"},
    at=datetime.fromisoformat("2023-10-30T01:00:00+00:00"),
    number="1/PP.08-SD/3171/2023",
    verify_url="http://kawal.test/verify",
    people={"p-1": Person("Siti", sha256="a" * 64)},
)
print(render(source).sha256)
"""


def test_another_process_elsewhere_gives_the_same_bytes(source: Source, tmp_path: Path) -> None:
    elsewhere = {"PYTHONPATH": str(ROOT), "TZ": "Pacific/Auckland", "HOME": str(tmp_path)}
    done = subprocess.run(
        (sys.executable, "-c", OTHER_PROCESS, str(tmp_path)),
        env=elsewhere | {"PYTHONHASHSEED": "7", "PATH": os.environ["PATH"], "LC_ALL": "C"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == render(source).sha256


def test_a_document_bears_the_time_of_its_fact_not_of_its_rendering(source: Source) -> None:
    content = render(source).content
    assert b"D:20231030010000" in content
    assert f"D:{datetime.now(UTC):%Y%m%d}".encode() not in content


@pytest.mark.parametrize(
    "change",
    [
        {"data": {"text": "Lain"}},
        {"layout": {"paper": "a4", "font": "Libertinus Serif", "size_pt": 12}},
        {"number": "2/PP.08-SD/3171/2023"},
        {"at": datetime(2023, 10, 31, 1, tzinfo=UTC)},
        {"people": {"p-1": Person("Siti", sha256="b" * 64)}},
    ],
)
def test_whatever_a_document_depends_on_changes_its_content_hash(source, change) -> None:
    changed = replace(source, **change)
    assert changed.content_sha256 != source.content_sha256
    assert render(changed).content != render(source).content


def test_forgetting_a_person_changes_the_page_and_not_the_content_hash(source: Source) -> None:
    forgotten = replace(source, people={"p-1": Person(FORGOTTEN, sha256="a" * 64)})
    assert forgotten.content_sha256 == source.content_sha256
    assert render(forgotten).content != render(source).content


def test_another_template_is_another_content(source: Source, tmp_path: Path) -> None:
    before = source.content_sha256
    (tmp_path / "toy.typ").write_text(TEMPLATE + "Tambahan")
    assert replace(source, template=Template(tmp_path, "toy")).content_sha256 != before


def other(source: Source, folder: Path, text: str) -> Source:
    """The same with another template."""
    folder.mkdir()
    (folder / "toy.typ").write_text(text)
    return replace(source, template=Template(folder, "toy"))


MARKUP = """\
]
#import "common.typ": *
#read("/etc/passwd") #eval("1 + 1") $ x^2 $ *tebal* @rujukan <label> // komentar
"""


async def test_a_process_renders_what_this_one_would(source: Source) -> None:
    renderer = Renderer()
    assert await renderer.render(source) == render(source)
    assert await renderer.render(source) == render(source)


@pytest.mark.parametrize("by", [signal.SIGALRM, signal.SIGKILL])
async def test_what_ended_the_process_is_not_noticed_by_who_renders(source: Source, by) -> None:
    renderer = Renderer()
    await renderer.render(source)
    renderer._process.send_signal(by)
    renderer._process.wait()
    assert await renderer.render(source) == render(source)


async def test_a_wrong_template_is_told_and_the_next_document_made(source, tmp_path) -> None:
    renderer = Renderer()
    with pytest.raises(NotRendered, match="unknown variable: nothing"):
        await renderer.render(other(source, tmp_path / "wrong", "#nothing"))
    assert await renderer.render(source) == render(source)


async def test_what_takes_too_much_memory_ends_its_process_alone(source, tmp_path) -> None:
    renderer = Renderer()
    with pytest.raises(NotRendered):
        await renderer.render(other(source, tmp_path / "huge", '#let x = "x" * 3000000000'))
    assert await renderer.render(source) == render(source)


def test_what_looks_like_markup_in_the_data_is_printed_as_it_is(source: Source, tmp_path) -> None:
    shows = '#import "common.typ": *\n#assert.eq(type(data.text), str)\n#data.text'
    said = other(source, tmp_path / "said", shows)
    told = other(source, tmp_path / "told", f"#{orjson.dumps(MARKUP).decode()}")
    marked = replace(said, data={"text": MARKUP})
    assert pages(marked) == pages(told) != pages(said)


def pages(source: Source) -> bytes:
    files, _ = prepared(source)
    return typst.compile(files, format="svg", ignore_system_fonts=True)


@pytest.mark.parametrize("path", ["/etc/passwd", "../../../../etc/passwd", "/pyproject.toml"])
def test_a_template_reads_nothing_but_its_own_files(source: Source, tmp_path, path) -> None:
    with pytest.raises(typst.TypstError, match=r"not found|escape the project root"):
        render(other(source, tmp_path / "reads", f'#read("{path}")'))


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (0, "nol"),
        (1, "satu"),
        (11, "sebelas"),
        (12, "dua belas"),
        (20, "dua puluh"),
        (45, "empat puluh lima"),
        (100, "seratus"),
        (111, "seratus sebelas"),
        (999, "sembilan ratus sembilan puluh sembilan"),
    ],
)
def test_numbers_in_indonesian(number: int, said: str) -> None:
    assert indonesian.words(number) == said


def test_a_number_that_has_no_words_here_is_refused() -> None:
    with pytest.raises(ValueError, match="1000"):
        indonesian.words(1000)


def test_dates_in_indonesian_are_those_of_jakarta() -> None:
    assert indonesian.date_of(date(2024, 2, 14)) == "14 Februari 2024"
    assert indonesian.day_of(date(2024, 2, 14)) == "Rabu, 14 Februari 2024"
    late = datetime(2024, 2, 13, 22, 30, tzinfo=UTC)
    assert indonesian.moment(late) == "14 Februari 2024 pukul 05.30 WIB"
    assert indonesian.grouped(1234567) == "1.234.567"
