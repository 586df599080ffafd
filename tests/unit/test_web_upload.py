"""A file of commands, sent as lines: a verdict for each, in order, whatever one of them is."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Sequence

import aiohttp
import pytest
from web_toy import ERRORS, RememberingHandler, toy

from shared.testing.web import Issuer, running
from shared.web import upload
from shared.web.problems import TooLarge
from shared.web.upload import ROUND_BYTES, ROUND_LINES, Lines, rounds

ISSUER = Issuer()
KINDS = {"Content-Type": "application/x-ndjson"}
MOST_LINES, MOST_BYTES = 1_000, 128 * 1024


@pytest.fixture
def handler() -> RememberingHandler:
    return RememberingHandler(errors=dict(ERRORS))


@pytest.fixture
async def client(handler: RememberingHandler) -> AsyncIterator[aiohttp.ClientSession]:
    bounds = {
        "max_body_bytes": 1024,
        "max_upload_bytes": MOST_BYTES,
        "max_upload_lines": MOST_LINES,
    }
    async with running(toy(handler, ISSUER, **bounds)) as client:
        yield client


def pack(box: str, **more: object) -> bytes:
    return json.dumps({"name": "pack-box", "box": box, "ballots": 1} | more).encode()


async def send(
    client: aiohttp.ClientSession,
    body: object,
    key: str = "file",
    roles: Sequence[str] = ("packer",),
    regions: Sequence[str] = ("31.71",),
) -> list[dict]:
    headers = ISSUER.bearer(roles, regions) | KINDS | {"Idempotency-Key": key}
    async with client.post("/commands", data=body, headers=headers) as response:
        assert (response.status, response.content_type) == (200, KINDS["Content-Type"])
        return [json.loads(line) for line in (await response.read()).splitlines()]


async def pieces(parts: Iterable[bytes]) -> AsyncIterator[bytes]:
    for part in parts:
        yield part
        await asyncio.sleep(0)


async def test_each_line_has_its_verdict_in_order_and_a_bad_one_stops_nothing(client, handler):
    lines = [
        pack("B-1"),
        b'{"name": "pack-box", ',
        b"",
        b"\xff",
        pack("B-2", ballots="many"),
        b'{"name": "burn-box"}',
        b'{"name": "open-box", "box": "B-1"}',
        pack("closed"),
        pack("B-3", occurred_at="2030-01-01T00:00:00Z"),
        b"[]",
        b"  " + pack("B-4") + b"\r",
    ]
    verdicts = await send(client, b"\n".join(lines))
    assert [(each["line"], each["status"]) for each in verdicts] == [
        *((1, 201), (2, 400), (4, 400), (5, 422), (6, 404), (7, 403)),
        *((8, 409), (9, 422), (10, 422), (11, 201)),
    ]
    assert verdicts[0] == {"line": 1, "status": 201, "outcome": "accepted", "position": 1}
    assert len(handler.stored) == 2


async def test_more_lines_than_are_decided_at_a_time_are_each_decided_once(client, handler):
    body = b"\n".join(pack(f"B-{n}") for n in range(ROUND_LINES * 2 + 7)) + b"\n"
    cut = [body[start : start + 1000] for start in range(0, len(body), 1000)]
    verdicts = await send(client, pieces(cut))
    assert [each["line"] for each in verdicts] == list(range(1, ROUND_LINES * 2 + 8))
    assert [each["position"] for each in verdicts] == list(range(1, ROUND_LINES * 2 + 8))
    assert len(handler.stored) == ROUND_LINES * 2 + 7


async def test_what_is_sent_again_is_answered_again_and_says_so(client, handler):
    body = b"\n".join([pack("B-1"), pack("closed"), pack("B-2")])
    first = await send(client, body)
    again = await send(client, body)
    assert [each.pop("replayed", False) for each in again] == [True, False, True]
    assert again == first and len(handler.stored) == 2
    other = await send(client, body.replace(b'"B-2"', b'"B-9"'))
    assert [each["status"] for each in other] == [201, 409, 422]
    await send(client, body, key="another")
    assert len(handler.stored) == 4


async def test_a_list_and_a_file_with_one_key_are_the_same_commands(client, handler):
    await send(client, pack("B-1"))
    headers = ISSUER.bearer(["packer"], ["31"]) | {"Idempotency-Key": "file"}
    body = {"commands": [json.loads(pack("B-1"))]}
    async with client.post("/commands", json=body, headers=headers) as response:
        [verdict] = (await response.json())["results"]
    assert verdict["replayed"] and len(handler.stored) == 1


async def test_an_upload_that_broke_off_is_sent_again_whole(client, handler):
    lines = [pack(f"B-{n}") + b"\n" for n in range(6)]
    broke = asyncio.Event()

    async def half() -> AsyncIterator[bytes]:
        yield b"".join(lines[:3]) + lines[3][:10]
        while len(handler.stored) < 3:
            await asyncio.sleep(0.001)
        broke.set()
        await asyncio.Event().wait()

    sending = asyncio.create_task(send(client, half()))
    await broke.wait()
    sending.cancel()
    verdicts = await send(client, b"".join(lines))
    assert [each["status"] for each in verdicts] == [201] * 6
    assert [each.get("replayed", False) for each in verdicts] == [True] * 3 + [False] * 3
    assert len(handler.stored) == 6


async def test_answers_come_while_the_file_is_still_on_its_way(client):
    first_answered = asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield pack("B-1") + b"\n"
        await first_answered.wait()
        yield pack("B-2")

    headers = ISSUER.bearer(["packer"], ["31"]) | KINDS | {"Idempotency-Key": "slow"}
    async with client.post("/commands", data=slowly(), headers=headers) as response:
        assert json.loads(await response.content.readline())["line"] == 1
        first_answered.set()
        assert json.loads(await response.content.readline())["line"] == 2


async def test_a_line_that_is_too_long_is_refused_alone():
    lines = Lines(most_bytes=10)
    given = [b"1234567890\n12345678901\nab", b"c\n", b"1234567", b"8901234", b"5\nlast"]
    found = [line for piece in given for line in lines.feed(piece)] + list(lines.end())
    assert [number for number, _ in found] == [1, 2, 3, 4, 5]
    assert [each if isinstance(each, bytes) else type(each) for _, each in found] == [
        *(b"1234567890", TooLarge, b"abc", TooLarge, b"last")
    ]


def test_a_round_is_bounded_in_lines_and_in_bytes():
    short = [(n, b"x") for n in range(1, ROUND_LINES + 2)]
    assert [len(each) for each in rounds(short)] == [ROUND_LINES, 1]
    long = [(n, b"x" * (ROUND_BYTES // 2)) for n in range(1, 6)]
    assert [len(each) for each in rounds(long)] == [2, 2, 1]
    assert [len(each) for each in rounds([(1, b"x" * ROUND_BYTES * 2), (2, b"x")])] == [1, 1]


async def test_more_lines_than_are_taken_end_the_answer_and_those_before_count(client, handler):
    verdicts = await send(client, b"\n".join(pack(f"B-{n}") for n in range(MOST_LINES + 5)))
    assert len(verdicts) == MOST_LINES + 1
    assert {each["status"] for each in verdicts[:-1]} == {201}
    last = verdicts[-1]
    assert (last["line"], last["status"], last["code"]) == (MOST_LINES + 1, 413, "too-large")
    assert len(handler.stored) == MOST_LINES


async def test_empty_lines_count_but_not_what_is_behind_the_last_newline(client):
    [refused] = await send(client, b"\n" * (MOST_LINES + 1))
    assert (refused["line"], refused["status"]) == (1, 413)
    [last] = await send(client, b"\n" * (MOST_LINES - 1) + pack("B-1") + b"\n")
    assert (last["line"], last["status"]) == (MOST_LINES, 201)


async def test_a_body_beyond_the_bound_is_413_at_once_or_where_it_is_reached(client, handler):
    headers = ISSUER.bearer(["packer"], ["31"]) | KINDS | {"Idempotency-Key": "large"}
    body = (pack("B-1") + b"\n") * (MOST_BYTES // 40)
    assert len(body) > MOST_BYTES
    async with client.post("/commands", data=body, headers=headers) as response:
        assert response.status == 413
    assert handler.stored == {}

    async def growing() -> AsyncIterator[bytes]:
        yield pack("B-1") + b"\n"
        while not handler.stored:
            await asyncio.sleep(0.001)
        yield b" " * MOST_BYTES

    verdicts = await send(client, growing())
    assert [each["status"] for each in verdicts] == [201, 413]


async def test_only_the_route_of_many_commands_takes_a_large_body_of_lines(client):
    headers = ISSUER.bearer(["packer"], ["31"]) | KINDS | {"Idempotency-Key": "large"}
    async with client.post("/commands/pack-box", data=b" " * 2000, headers=headers) as response:
        assert response.status == 413
    async with client.post("/commands/pack-box", data=pack("B-1"), headers=headers) as response:
        assert response.status == 415


async def test_a_large_body_of_lines_is_taken_however_its_type_is_written(client):
    headers = ISSUER.bearer(["packer"], ["31"]) | {"Idempotency-Key": "large"}
    kind = {"Content-Type": "Application/X-NDJSON; charset=utf-8"}
    body = b" " * 2_000 + pack("B-1")
    async with client.post("/commands", data=body, headers=headers | kind) as response:
        assert json.loads(await response.read())["status"] == 201


async def test_roles_and_regions_are_asked_for_each_line(client):
    lines = pack("B-1") + b'\n{"name": "open-box", "box": "B-1"}'
    verdicts = await send(client, lines, roles=["opener"], regions=["31"])
    assert [each["status"] for each in verdicts] == [403, 201]
    assert [each["status"] for each in await send(client, lines, regions=["32"])] == [403, 403]


async def test_without_a_token_or_a_key_nothing_is_read(client):
    async with client.post("/commands", data=pack("B-1"), headers=KINDS) as response:
        assert response.status == 401
    headers = ISSUER.bearer(["packer"], ["31"]) | KINDS
    async with client.post("/commands", data=pack("B-1"), headers=headers) as response:
        assert (response.status, (await response.json(content_type=None))["code"]) == (
            400,
            "idempotency-key-missing",
        )


async def test_while_the_store_is_away_every_line_is_503_and_it_is_asked_once(client, handler):
    handler.down = ConnectionRefusedError("no")
    body = b"\n".join(pack(f"B-{n}") for n in range(ROUND_LINES + 3))
    verdicts = await send(client, body)
    assert {each["status"] for each in verdicts} == {503}
    assert [each["line"] for each in verdicts] == list(range(1, ROUND_LINES + 4))
    assert handler.calls == 1
    handler.down = None
    assert {each["status"] for each in await send(client, body)} == {201}


async def test_an_empty_file_has_no_verdicts(client):
    assert await send(client, b"") == [] and await send(client, b"\n\n") == []


async def test_a_client_that_waits_to_be_told_to_go_on_is_told(client):
    """As curl does where a body is larger than a mebibyte."""
    reader, writer = await asyncio.open_connection("127.0.0.1", client._base_url.port)
    body = pack("B-1")
    headers = {
        **ISSUER.bearer(["packer"], ["31"]),
        **KINDS,
        "Host": "here",
        "Idempotency-Key": "wait",
        "Content-Length": len(body),
        "Expect": "100-continue",
    }
    lines = ["POST /commands HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    assert await reader.readline() == b"HTTP/1.1 100 Continue\r\n"
    assert await reader.readline() == b"\r\n"
    writer.write(body)
    assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
    writer.close()


async def test_what_comes_behind_more_answers_than_wait_for_a_reader_is_not_decided(monkeypatch):
    """The client reads nothing before it has sent all."""
    monkeypatch.setattr(upload, "MOST_UNREAD_BYTES", 1_000)
    decided, answers, sent = 0, [], asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        for _ in range(1_000):
            yield b"{}\n"
        sent.set()

    async def judge(items: Sequence[tuple[int, object]]) -> list[dict]:
        nonlocal decided
        decided += len(items)
        return [{"status": 201, "position": place} for place, _ in items]

    async def send(message: dict) -> None:
        await sent.wait()
        answers.append(message.get("body", b""))

    await upload.Upload(body(), judge, MOST_LINES)({}, None, send)
    assert decided < 100
    verdicts = [json.loads(line) for line in b"".join(answers).splitlines()]
    assert [each["line"] for each in verdicts] == list(range(1, decided + 2))
    assert [each["status"] for each in verdicts] == [201] * decided + [413]


async def test_others_get_their_turn_between_rounds_even_of_lines_that_are_no_commands():
    turns, seen = 0, []

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def judge(items: Sequence[tuple[int, object]]) -> list[dict]:
        seen.append(turns)
        return [{"status": 422} for _ in items]

    async def send(message: dict) -> None:
        pass

    working = asyncio.create_task(others())
    body = pieces([b"{}\n" * ROUND_LINES * 4])
    await upload.Upload(body, judge, ROUND_LINES * 4)({}, None, send)
    working.cancel()
    assert len(seen) == len(set(seen)) == 4
