"""Commands over HTTP: accepted once, refused clearly, and never a 500."""

import asyncio
import json
from collections.abc import AsyncIterator

import aiohttp
import pytest
from openapi_spec_validator import validate
from web_toy import ERRORS, RememberingHandler, toy

from shared.testing.web import Issuer, running
from shared.web import commands

ISSUER = Issuer()
PACK = "/commands/pack-box"
BODY = {"box": "B-1", "ballots": 300}


@pytest.fixture
def handler() -> RememberingHandler:
    return RememberingHandler(errors=dict(ERRORS))


@pytest.fixture
async def client(handler: RememberingHandler) -> AsyncIterator[aiohttp.ClientSession]:
    async with running(toy(handler, ISSUER, max_body_bytes=64 * 1024)) as client:
        yield client


def headers(key: str = "k-1", roles=("packer",), regions=("31.71",), **more: str) -> dict[str, str]:
    return ISSUER.bearer(roles, regions) | {"Idempotency-Key": key} | more


async def problem(response: aiohttp.ClientResponse, status: int, code: str) -> dict:
    body = await response.json(content_type="application/problem+json")
    assert (response.status, body["status"], body["code"]) == (status, status, code), body
    assert body["type"].startswith("urn:problem:kawal:") and body["title"] and body["detail"]
    return body


async def test_an_accepted_command_answers_201_with_its_position(client, handler):
    async with client.post(PACK, json=BODY, headers=headers()) as response:
        assert response.status == 201
        assert await response.json() == {"outcome": "accepted", "position": 1}
    [request] = handler.asked
    assert (request.context.actor, request.context.agency) == ("p-1", "kpu-31")
    assert request.command.box == "B-1" and request.command.ballots == 300
    assert request.traceparent.startswith("00-") or request.traceparent == ""


async def test_a_repeated_key_repeats_the_answer_quoted_or_not(client, handler):
    for key in ("again", '"again"', "again"):
        async with client.post(PACK, json=BODY, headers=headers(key)) as response:
            assert (response.status, (await response.json())["position"]) == (201, 1)
    assert len(handler.stored) == 1


async def test_a_repeated_key_with_another_body_is_refused(client, handler):
    await client.post(PACK, json=BODY, headers=headers())
    async with client.post(PACK, json=BODY | {"ballots": 1}, headers=headers()) as response:
        await problem(response, 422, "idempotency-key-reused")
    assert len(handler.stored) == 1


async def test_the_same_key_of_two_people_is_two_keys(client, handler):
    await client.post(PACK, json=BODY, headers=headers())
    other = headers() | ISSUER.bearer(["packer"], ["31"], person="p-2")
    async with client.post(PACK, json=BODY, headers=other) as response:
        assert response.status == 201
    assert len(handler.stored) == 2


@pytest.mark.parametrize("key", [None, "", '""', "a b", "\u00fc", "x" * 201])
async def test_a_key_is_required_and_must_be_plain(client, handler, key):
    given = headers()
    if key is None:
        del given["Idempotency-Key"]
    else:
        given["Idempotency-Key"] = key
    async with client.post(PACK, json=BODY, headers=given) as response:
        expected = "idempotency-key-missing" if key in (None, "", '""') else "bad-request"
        await problem(response, 400, expected)
    assert handler.asked == []


MALFORMED = {
    "nothing": b"",
    "half": b'{"box": "B-1", ',
    "not utf-8": b'{"box": "B-\xff", "ballots": 1}',
    "lone surrogate": b'{"box": "B-1", "ballots": 1, "note": "\\ud800"}',
    "nul": b'{"box": "B-1", "ballots": 1, "note": "a\\u0000b"}',
    "nul in a name": b'{"box": "B-1", "ballots": 1, "a\\u0000": 1}',
    "deep": b"[" * 5_000 + b"]" * 5_000,
    "deeper than what is stored": b'{"box":' * 400 + b"1" + b"}" * 400,
    "nan": b'{"box": "B-1", "ballots": NaN}',
    "beyond a double": b'{"box": "B-1", "ballots": 1e999}',
    "thousands of digits": b'{"box": "B-1", "ballots": ' + b"9" * 5_000 + b"}",
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED.keys())
async def test_what_is_not_json_is_400(client, handler, body):
    given = headers() | {"Content-Type": "application/json"}
    async with client.post(PACK, data=body, headers=given) as response:
        await problem(response, 400, "malformed")
    assert handler.asked == []


INVALID = [
    [],
    None,
    "text",
    7,
    {},
    {"box": "B-1"},
    {"box": "B-1", "ballots": "300"},
    {"box": "B-1", "ballots": True},
    {"box": "B-1", "ballots": 1.0},
    {"box": "B-1", "ballots": -1},
    {"box": "B-1", "ballots": 2**53},
    {"box": "B-1", "ballots": 2**64},
    {"box": "B-1", "ballots": 10**40},
    {"box": 1, "ballots": 1},
    {"box": "../etc", "ballots": 1},
    {"box": "B-1", "ballots": 1, "unknown": 1},
    {"box": "B-1", "ballots": 1, "seals": "S-1"},
    {"box": "B-1", "ballots": 1, "seals": [{"number": {"a": 1}}]},
    {"box": "B-1", "ballots": 1, "note": "   "},
    {"box": "B-1", "ballots": 1, "note": "x" * 2001},
    {"box": "B-1", "ballots": 1, "occurred_at": "yesterday"},
    {"box": "B-1", "ballots": 1, "occurred_at": "2024-02-01T00:00:00"},
    {"box": "B-1", "ballots": 1, "occurred_at": 1706745600},
]


@pytest.mark.parametrize("body", INVALID, ids=str)
async def test_what_does_not_fit_the_schema_is_422_and_says_where(client, handler, body):
    given = headers() | {"Content-Type": "application/json"}
    async with client.post(PACK, data=json.dumps(body), headers=given) as response:
        found = await problem(response, 422, "invalid")
    assert all(set(error) == {"pointer", "detail", "code"} for error in found["errors"])
    assert handler.asked == []


OUTSIDE = ["2021-12-31T23:59:59", "0001-01-01T00:00:00", "2024-02-02T00:00:01"]


@pytest.mark.parametrize("at", OUTSIDE)
async def test_an_act_is_neither_before_2022_nor_more_than_a_day_ahead(client, handler, at):
    body = BODY | {"occurred_at": f"{at}Z"}
    async with client.post(PACK, json=body, headers=headers()) as response:
        await problem(response, 422, "occurred-at-out-of-bounds")
    assert handler.asked == []


async def test_a_time_within_a_day_of_the_business_clock_is_fine(client):
    body = BODY | {"occurred_at": "2024-02-02T06:00:00+07:00"}
    async with client.post(PACK, json=body, headers=headers()) as response:
        assert response.status == 201


async def test_too_large_is_413_with_and_without_a_length(client, handler):
    given = headers() | {"Content-Type": "application/json"}
    async with client.post(PACK, data=b" " * 70_000, headers=given) as response:
        await problem(response, 413, "too-large")

    async def chunks():
        for _ in range(7):
            yield b" " * 10_000
            await asyncio.sleep(0)

    async with client.post(PACK, data=chunks(), headers=given) as response:
        await problem(response, 413, "too-large")
    assert handler.asked == []


@pytest.mark.parametrize("media", ["text/plain", "application/x-www-form-urlencoded", ""])
async def test_only_json_is_read(client, handler, media):
    given = headers() | {"Content-Type": media}
    async with client.post(PACK, data=b"{}", headers=given) as response:
        await problem(response, 415, "unsupported-media-type")


async def test_a_compressed_body_is_not_unpacked(client):
    given = headers() | {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    async with client.post(PACK, data=b"{}", headers=given) as response:
        await problem(response, 415, "unsupported-media-type")


async def test_refusals_conflicts_and_bugs_have_their_own_status(client):
    for box, status, code in (
        ("closed", 409, "box-closed"),
        ("contested", 409, "conflict"),
        ("broken", 500, "internal"),
    ):
        async with client.post(PACK, json=BODY | {"box": box}, headers=headers(box)) as response:
            body = await problem(response, status, code)
            assert "secret" not in str(body)


@pytest.mark.parametrize("error", [ConnectionRefusedError("no"), TimeoutError()])
async def test_a_store_that_is_away_is_503(client, handler, error):
    handler.down = error
    for path, body in ((PACK, BODY), ("/commands", {"commands": [{"name": "pack-box", **BODY}]})):
        async with client.post(path, json=body, headers=headers()) as response:
            await problem(response, 503, "unavailable")
            assert response.headers["Retry-After"] == "1"


async def test_a_role_or_a_region_that_is_missing_is_403(client, handler):
    for given in (headers(roles=["opener"]), headers(regions=["32"]), headers(regions=[])):
        async with client.post(PACK, json=BODY, headers=given) as response:
            await problem(response, 403, "forbidden")
    assert handler.stored == {}


async def test_no_such_route_or_method_is_a_problem_too(client):
    async with client.post("/commands/burn-box", json={}, headers=headers()) as response:
        await problem(response, 404, "not-found")
    async with client.get(PACK, headers=headers()) as response:
        await problem(response, 405, "method-not-allowed")
        assert response.headers["Allow"] == "POST"
    async with client.get("/boxes/%00") as response:
        await problem(response, 400, "bad-request")


async def test_many_at_once_have_a_verdict_each_in_order(client, handler):
    commands = [
        {"name": "pack-box", **BODY},
        {"name": "pack-box", "box": "B-2"},
        {"name": "burn-box"},
        {"name": "open-box", "box": "B-1"},
        {"name": "pack-box", "box": "closed", "ballots": 1},
        {"name": "pack-box", "box": "contested", "ballots": 1},
        {"name": "pack-box", "box": "B-3", "ballots": 1, "occurred_at": "2030-01-01T00:00:00Z"},
        "not an object",
        {"name": ["pack-box"]},
        {"name": "pack-box", "box": "B-4", "ballots": 1},
    ]
    for _ in range(2):
        given = headers("bulk")
        async with client.post("/commands", json={"commands": commands}, headers=given) as response:
            assert response.status == 200
            results = (await response.json())["results"]
        statuses = [result["status"] for result in results]
        assert statuses == [201, 422, 404, 403, 409, 409, 422, 422, 422, 201]
        assert [results[0]["position"], results[9]["position"]] == [1, 2]
        assert results[4]["code"] == "box-closed" and results[4]["box"] == "closed"
    assert len(handler.stored) == 2


async def test_an_item_repeated_with_another_content_is_refused_alone(client):
    def items(*boxes: str) -> dict:
        return {"commands": [{"name": "pack-box", "box": box, "ballots": 1} for box in boxes]}

    await client.post("/commands", json=items("B-1", "B-2"), headers=headers())
    async with client.post("/commands", json=items("B-1", "B-9"), headers=headers()) as response:
        results = (await response.json())["results"]
    assert [result["status"] for result in results] == [201, 422]


LISTS = [[], {}, {"commands": []}, {"commands": {}}, {"commands": [1] * 2001}]


@pytest.mark.parametrize("body", [*LISTS, {"commands": [{}], "x": 1}], ids=range(6))
async def test_a_list_of_commands_has_1_to_2000_items(client, handler, body):
    async with client.post("/commands", json=body, headers=headers()) as response:
        await problem(response, 422, "invalid")
    assert handler.asked == []


async def test_the_documents_need_nothing_from_elsewhere_and_know_every_command(client):
    async with client.get("/openapi.json") as response:
        document = await response.json()
    validate(document)
    assert {PACK, "/commands/open-box", "/commands", "/health/ready"} <= document["paths"].keys()
    assert document["components"]["schemas"]["PackBox"]["required"] == ["box", "ballots"]
    async with client.get("/docs") as response:
        page = await response.text()
    assert "pack-box" in page and "http://" not in page and "https://" not in page


async def test_metrics_are_openmetrics_and_name_routes_by_template(client):
    await client.post(PACK, json=BODY, headers=headers())
    async with client.get("/metrics") as response:
        assert response.headers["Content-Type"].startswith("application/openmetrics-text")
        text = await response.text()
    assert 'kawal_http_requests_total{method="POST",route="/commands/pack-box"' in text
    assert text.endswith("# EOF\n")


async def test_one_item_nested_too_deep_does_not_harm_the_others(client):
    deep = b'{"name":"pack-box","box":' + b"[" * 400 + b"]" * 400 + b"}"
    good = json.dumps({"name": "pack-box", **BODY}).encode()
    given = headers() | {"Content-Type": "application/json"}
    body = b'{"commands":[' + deep + b"," + good + b"]}"
    async with client.post("/commands", data=body, headers=given) as response:
        verdicts = (await response.json())["results"]
    assert [each["status"] for each in verdicts] == [400, 201]


async def test_more_than_can_wait_are_told_to_come_again(client, handler, monkeypatch):
    monkeypatch.setattr(commands, "MOST_WAITING", 2)
    handler.free = asyncio.Event()

    async def post(number: int) -> int:
        async with client.post(PACK, json=BODY, headers=headers(f"k-{number}")) as response:
            return response.status

    waiting = [asyncio.create_task(post(number)) for number in range(2)]
    while handler.calls < 2:
        await asyncio.sleep(0.001)
    async with client.post(PACK, json=BODY, headers=headers("k-2")) as response:
        await problem(response, 503, "overloaded")
        assert response.headers["Retry-After"] == "1"
    handler.free.set()
    assert await asyncio.gather(*waiting) == [201, 201]
    assert await post(2) == 201
