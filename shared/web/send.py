"""The other end of an upload: reads a file of commands, sends it, and reports what was refused."""

import asyncio
import csv
import hashlib
import json
import os
from codecs import BOM_UTF8
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

import aiohttp
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from shared.cli.app import Failure

BLOCK = 64 * 1024
MOST_IN_FLIGHT = 20_000
"""Lines that are sent and not answered yet; each is kept, should it be refused."""

Convert = Callable[[str], Any]


@dataclass(frozen=True)
class Rows:
    """A file of commands: NDJSON, or CSV with the name of the command that each row is."""

    file: Path
    command: str
    key: str
    lines: int

    def read(self, fields: dict[str, Convert]) -> Iterator[bytes]:
        """Each line as it is sent."""
        if not self.command:
            with self.file.open("rb") as lines:
                for line in lines:
                    yield line.removeprefix(BOM_UTF8).rstrip(b"\r\n")
            return
        with self.file.open(newline="", encoding="utf-8-sig") as text:
            for row in csv.DictReader(text, strict=True):
                yield json.dumps({"name": self.command, **_typed(row, fields)}).encode()


def read(file: Path, command: str) -> Rows:
    """The file, looked through once. Raises Failure if it cannot be sent at all."""
    if (file.suffix.lower() == ".csv") != bool(command):
        raise Failure("a CSV needs --command NAME, and only a CSV has one")
    digest = hashlib.sha256(command.encode() + b"\n")
    try:
        with file.open("rb") as content:
            while block := content.read(BLOCK):
                digest.update(block)
        lines = _rows(file) if command else _lines(file)
    except OSError as error:
        raise Failure(f"{file}: {os.strerror(error.errno or 0)}") from None
    except (csv.Error, UnicodeDecodeError) as error:
        raise Failure(f"{file} is not CSV in UTF-8: {error}") from None
    if not lines:
        raise Failure(f"{file} has no rows")
    return Rows(file, command, digest.hexdigest(), lines)


def _lines(file: Path) -> int:
    with file.open("rb") as lines:
        return sum(1 for _ in lines)


def _rows(file: Path) -> int:
    """Each row has as many cells as the header; else nothing of the file is sent."""
    with file.open(newline="", encoding="utf-8-sig") as text:
        rows = csv.reader(text, strict=True)
        header = next(rows, [])
        if len(set(header)) < len(header):
            raise Failure(f"{file}: a column is there twice")
        count = 0
        for row in rows:
            if row and len(row) != len(header):
                raise Failure(f"{file}:{rows.line_num}: {len(row)} cells, not {len(header)}")
            count += bool(row)
    return count


def _typed(row: dict[str, str], fields: dict[str, Convert]) -> dict[str, Any]:
    """An empty cell is a field that is not given."""
    return {name: fields[name](cell) for name, cell in row.items() if cell}


@dataclass
class Outcome:
    """How many lines came to what."""

    accepted: int = 0
    known: int = 0
    refused: int = 0

    @property
    def answered(self) -> int:
        return self.accepted + self.refused

    def line(self, report: Path) -> str:
        known = f" ({self.known:,} known before)" if self.known else ""
        where = f"; see {report}" if self.refused else ""
        return f"{self.accepted:,} accepted{known}, {self.refused:,} refused{where}"


@dataclass
class Sending:
    """One file on its way to `url`; what is refused goes to `report`, with its row."""

    url: str
    token: str
    key: str
    report: Path
    outcome: Outcome = field(default_factory=Outcome)
    _flying: deque[tuple[int, bytes]] = field(default_factory=deque)
    _landed: asyncio.Event = field(default_factory=asyncio.Event)
    _report: TextIO | None = None
    _last: dict[str, Any] = field(default_factory=dict)

    async def send(self, rows: Rows) -> Outcome:
        """Raises Failure if the service cannot be reached, refuses the whole, or breaks off."""
        try:
            async with aiohttp.ClientSession(self.url, timeout=_TIMEOUT) as session:
                fields = await _fields(session, rows) if rows.command else {}
                with _progress() as bar:
                    task = bar.add_task(rows.file.name, total=rows.lines)
                    await self._send(
                        session,
                        self._blocks(rows.read(fields)),
                        lambda number: bar.update(task, completed=number),
                    )
                    if self._flying:
                        raise Failure(self._ended())
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise Failure(self._broke_off(str(error) or type(error).__name__)) from None
        finally:
            if self._report is not None:
                self._report.close()
        return self.outcome

    def _ended(self) -> str:
        """Rows have no answer although nothing broke: the last one says why."""
        why = self._last.get("detail", "the service ended it")
        return f"it ended after {self.outcome.answered:,} answers: {why}"

    def _broke_off(self, why: str) -> str:
        if not self.outcome.answered:
            return f"{self.url}: {why}"
        return f"it broke off after {self.outcome.answered:,} answers, send it again: {why}"

    async def _send(
        self,
        session: aiohttp.ClientSession,
        body: AsyncIterator[bytes],
        seen: Callable[[int], None],
    ) -> None:
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Idempotency-Key": self.key,
            "Content-Type": "application/x-ndjson",
        }
        async with session.post("/commands", data=body, headers=headers) as answer:
            if answer.status != 200:
                raise Failure(await _refusal(answer))
            async for line in answer.content:
                verdict = json.loads(line)
                self._take(verdict)
                seen(verdict["line"])

    def _take(self, verdict: dict[str, Any]) -> None:
        """A verdict stands for its own line; lines before it that have none were empty."""
        self._landed.set()
        self._last = verdict
        row = b""
        while self._flying and self._flying[0][0] <= verdict["line"]:
            row = self._flying.popleft()[1]
        if verdict["status"] == 201:
            self.outcome.accepted += 1
            self.outcome.known += verdict.get("replayed", False)
            return
        self.outcome.refused += 1
        if self._report is None:
            self._report = self.report.open("w")
        self._report.write(json.dumps({**verdict, "row": row.decode(errors="replace")}) + "\n")

    async def _blocks(self, lines: Iterator[bytes]) -> AsyncIterator[bytes]:
        block: list[bytes] = []
        size = 0
        for number, line in enumerate(lines, 1):
            if line.strip():
                self._flying.append((number, line))
            block.append(line + b"\n")
            size += len(line) + 1
            if size >= BLOCK:
                yield b"".join(block)
                block, size = [], 0
                while len(self._flying) > MOST_IN_FLIGHT:
                    self._landed.clear()
                    await self._landed.wait()
        yield b"".join(block)


_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=120)
_COLUMNS = ("{task.description}", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())


def _progress() -> Progress:
    console = Console(stderr=True)
    return Progress(*_COLUMNS, console=console, transient=True, disable=not console.is_terminal)


async def _fields(session: aiohttp.ClientSession, rows: Rows) -> dict[str, Convert]:
    """How a cell of each column becomes a field; a column that is no field is a Failure."""
    async with session.get("/openapi.json") as answer:
        document = await answer.json()
    schemas = document["components"]["schemas"]
    try:
        operation = document["paths"][f"/commands/{rows.command}"]["post"]
    except KeyError:
        raise Failure(f"there is no command {rows.command}") from None
    model = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    properties = schemas[model.rpartition("/")[2]]["properties"]
    with rows.file.open(newline="", encoding="utf-8-sig") as text:
        columns = next(csv.reader(text))
    strange = [name for name in columns if name not in properties]
    if strange:
        raise Failure(f"{rows.command} has no field {', '.join(strange)}")
    return {name: _convert(properties[name]) for name in columns}


def _convert(schema: dict[str, Any]) -> Convert:
    """Text stays text; a number, a list or an object is read as JSON, as text if it is none."""
    kinds = {one.get("type") for one in (schema, *schema.get("anyOf", ()))}
    return str if "string" in kinds else _json


def _json(cell: str) -> Any:
    try:
        return json.loads(cell)
    except ValueError:
        return cell


async def _refusal(answer: aiohttp.ClientResponse) -> str:
    try:
        problem = await answer.json(content_type=None)
        return f"{problem['title']}: {problem['detail']}"
    except (ValueError, KeyError, TypeError):
        return f"{answer.status} {answer.reason}"
