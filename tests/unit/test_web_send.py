"""`kawal send`: what is sent, what is said, and with which status it ends."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from web_toy import ERRORS, RememberingHandler, toy

from shared.cli.app import main
from shared.testing.process import free_port
from shared.testing.web import Issuer, running

ISSUER = Issuer()
MOST_LINES = 2_000
Kawal = Callable[..., Awaitable[tuple[int, str, str]]]


@pytest.fixture
def handler() -> RememberingHandler:
    return RememberingHandler(errors=dict(ERRORS))


@pytest.fixture
async def kawal(
    handler: RememberingHandler,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> AsyncIterator[Kawal]:
    """`kawal send custody ...`: its exit status, standard output and standard error."""

    def run(*arguments: object) -> int:
        monkeypatch.setattr(sys, "argv", ["kawal", "send", "custody", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0)

    async def send(*arguments: object) -> tuple[int, str, str]:
        status = await asyncio.to_thread(run, *arguments)
        said = capsys.readouterr()
        return status, said.out, said.err

    async with running(toy(handler, ISSUER, max_upload_lines=MOST_LINES)) as client:
        monkeypatch.setenv("KAWAL_CUSTODY_URL", str(client._base_url))
        monkeypatch.setenv("KAWAL_TOKEN", ISSUER.token(["packer"], ["31"]))
        yield send


def ndjson(file: Path, *boxes: str) -> Path:
    rows = [{"name": "pack-box", "box": box, "ballots": 1} for box in boxes]
    file.write_text("\ufeff" + "\r\n\r\n".join(json.dumps(row) for row in rows))
    return file


async def test_a_file_is_accepted_and_the_same_file_again_changes_nothing(
    kawal: Kawal, handler: RememberingHandler, tmp_path: Path
) -> None:
    file = ndjson(tmp_path / "boxes.ndjson", *(f"B-{n}" for n in range(1_000)))
    assert await kawal(file) == (0, "1,000 accepted, 0 refused\n", "")
    status, said, _ = await kawal(file)
    assert (status, said) == (0, "1,000 accepted (1,000 known before), 0 refused\n")
    assert len(handler.stored) == 1_000
    assert (await kawal(file, "--key", "another"))[1] == "1,000 accepted, 0 refused\n"


async def test_refused_rows_are_reported_with_their_reason_and_the_status_is_1(
    kawal: Kawal, tmp_path: Path
) -> None:
    file = ndjson(tmp_path / "boxes.ndjson", "B-1", "closed", "B-2")
    with file.open("a") as more:
        more.write("\nnot JSON\n")
    status, said, _ = await kawal(file)
    refused = tmp_path / "boxes.ndjson.refused.ndjson"
    assert (status, said) == (1, f"2 accepted, 2 refused; see {refused}\n")
    closed, malformed = map(json.loads, refused.read_text().splitlines())
    assert (closed["line"], closed["code"], json.loads(closed["row"])["box"]) == (
        *(3, "box-closed"),
        "closed",
    )
    assert (malformed["line"], malformed["code"], malformed["row"]) == (6, "malformed", "not JSON")


async def test_a_csv_is_sent_with_its_cells_as_the_fields_are(
    kawal: Kawal, handler: RememberingHandler, tmp_path: Path
) -> None:
    file = tmp_path / "boxes.csv"
    file.write_text('\ufeffbox,ballots,note\nB-1,300,\n\nB-2,0,"two\nlines"\n0003,1,7\nB-4,x,\n')
    report = tmp_path / "refused"
    status, said, _ = await kawal(file, "--command", "pack-box", "--report", report)
    assert (status, said) == (1, f"3 accepted, 1 refused; see {report}\n")
    asked = [(each.command.box, each.command.ballots, each.command.note) for each in handler.asked]
    assert asked == [("B-1", 300, None), ("B-2", 0, "two\nlines"), ("0003", 1, "7")]
    assert json.loads(report.read_text())["errors"][0]["pointer"] == "/ballots"


UNUSABLE = {
    "no rows": ("a.ndjson", "", ()),
    "no command": ("a.csv", "box,ballots\nB-1,1\n", ()),
    "no such command": ("a.csv", "box,ballots\nB-1,1\n", ("--command", "burn-box")),
    "no such field": ("a.csv", "box,bullets\nB-1,1\n", ("--command", "pack-box")),
    "a field twice": ("a.csv", "box,ballots,box\nB-1,1,B-2\n", ("--command", "pack-box")),
    "too many cells": ("a.csv", "box,ballots\nB-1,1,2\n", ("--command", "pack-box")),
    "a command twice": ("a.ndjson", "{}", ("--command", "pack-box")),
    "no valid token": ("a.ndjson", "{}", ("--token", "x")),
    "nobody there": ("a.ndjson", "{}", ("--url", f"http://127.0.0.1:{free_port()}")),
    "no address": ("a.ndjson", "{}", ("--url", "custody")),
}


@pytest.mark.parametrize(("name", "text", "options"), UNUSABLE.values(), ids=UNUSABLE.keys())
async def test_what_cannot_be_sent_is_one_line_and_status_2(
    kawal: Kawal, handler: RememberingHandler, tmp_path: Path, name, text, options
) -> None:
    (tmp_path / name).write_text(text)
    status, said, error = await kawal(tmp_path / name, *options)
    assert (status, said, error.count("\n")) == (2, "", 1), error
    assert error.startswith("kawal: ") and handler.asked == []


async def test_a_file_that_is_not_there_is_one_line(kawal: Kawal, tmp_path: Path) -> None:
    status, _, error = await kawal(tmp_path / "nothing.ndjson")
    assert status == 2 and error.endswith("No such file or directory\n")


async def test_what_the_service_does_not_take_whole_is_said(
    handler: RememberingHandler, kawal: Kawal, tmp_path: Path
) -> None:
    handler.down = ConnectionRefusedError()
    status, said, _ = await kawal(ndjson(tmp_path / "boxes.ndjson", "B-1", "B-2"))
    assert (status, said[:10]) == (1, "0 accepted")
    handler.down = None
    assert (await kawal(tmp_path / "boxes.ndjson"))[:2] == (0, "2 accepted, 0 refused\n")


async def test_rows_that_the_service_did_not_answer_are_said_with_the_reason(
    handler: RememberingHandler, kawal: Kawal, tmp_path: Path
) -> None:
    rows = [json.dumps({"name": "pack-box", "box": f"B-{n}", "ballots": 1}) for n in range(2_005)]
    file = tmp_path / "boxes.ndjson"
    file.write_text("\n".join(rows))
    status, said, error = await kawal(file)
    assert (status, said, len(handler.stored)) == (2, "", MOST_LINES)
    assert error == "kawal: it ended after 2,001 answers: An upload may have 2000 lines\n"
