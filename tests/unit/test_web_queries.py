"""Queries: pages that lose nothing, ETags, and waiting for one's own writes."""

import json
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator

import aiohttp
import pytest
from fastapi import FastAPI
from starlette.requests import Request

from shared.settings import Settings
from shared.testing.web import running
from shared.web.app import create_app
from shared.web.queries import CaughtUp, Paging, paged, read_cursor, tagged

ROWS = [{"id": f"B-{n:03}"} for n in range(23)]


def app() -> FastAPI:
    made = create_app("toy", Settings(service="toy"), title="Toy")

    async def wait_for(source: str, position: int, seconds: float) -> None:
        if source != "custody":
            raise KeyError(source)
        if position > 10:
            raise TimeoutError

    made.state.wait_for = wait_for

    @made.get("/boxes", dependencies=[CaughtUp])
    async def boxes(page: Paging):
        rows = [row for row in ROWS if row["id"] > page.text()][: page.fetch]
        return paged(rows, page, lambda row: [row["id"]])

    @made.get("/numbers")
    async def numbers(page: Paging):
        return {"after": page.number(0)}

    @made.get("/boxes/{id}")
    async def box(request: Request, id: str):
        return tagged(request, {"id": id}, 7)

    @made.get("/bug")
    async def bug():
        raise ZeroDivisionError("a secret")

    return made


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with running(app()) as client:
        yield client


async def test_pages_follow_each_other_and_end(client):
    seen, cursor = [], ""
    while cursor is not None:
        params = {"limit": "10"} | ({"cursor": cursor} if cursor else {})
        async with client.get("/boxes", params=params) as response:
            body = await response.json()
        seen += body["items"]
        cursor = body["next"]
    assert seen == ROWS


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=1001", "limit=x", "limit=99999999999999999999999", "cursor=x" * 600],
)
async def test_bad_paging_is_422(client, query):
    async with client.get(f"/boxes?{query}") as response:
        assert response.status == 422
        assert response.content_type == "application/problem+json"


@pytest.mark.parametrize("cursor", ["abc", "%%%", "W10", "eyJhIjoxfQ", "W251bGxd", "\u00e9"])
async def test_a_cursor_that_nobody_gave_is_400(client, cursor):
    async with client.get("/boxes", params={"cursor": cursor}) as response:
        assert (response.status, (await response.json(content_type=None))["code"]) == (
            400,
            "bad-cursor",
        )


def test_a_cursor_is_what_was_written():
    assert read_cursor("WyJhIiwxXQ") == ("a", 1)


async def test_a_version_is_an_etag(client):
    async with client.get("/boxes/B-1") as response:
        tag = response.headers["ETag"]
        assert (response.status, tag) == (200, '"7"')
    async with client.get("/boxes/B-1", headers={"If-None-Match": tag}) as response:
        assert response.status == 304


@pytest.mark.parametrize(
    ("at_least", "status"),
    [
        ("custody:10", 200),
        ("custody:11", 503),
        ("elsewhere:1", 400),
        ("custody", 400),
        ("custody:-1", 400),
        ("custody:99999999999999999999", 400),
    ],
)
async def test_a_reader_waits_for_what_it_has_written(client, at_least, status):
    async with client.get("/boxes", params={"at_least": at_least}) as response:
        assert response.status == status
        if status != 200:
            assert response.content_type == "application/problem+json"


async def test_an_unforeseen_error_tells_nothing(client):
    async with client.get("/bug") as response:
        body = await response.json(content_type="application/problem+json")
    assert response.status == 500 and "secret" not in str(body) and "Zero" not in str(body)


async def test_readiness_names_each_part():
    checks = {}
    made = create_app("toy", Settings(service="toy"), title="Toy", checks=checks)

    async def away() -> None:
        raise ConnectionError("not connected")

    async def here() -> None:
        return None

    async with running(made) as client:
        checks |= {"postgres": here, "nats": away}
        async with client.get("/health/ready") as response:
            assert response.status == 503
            assert (await response.json())["checks"] == {"postgres": "ok", "nats": "not connected"}
        async with client.get("/health/live") as response:
            assert response.status == 200


async def test_a_start_is_no_warning_and_an_outage_is_one(caplog):
    async def well() -> None:
        return None

    async def lost() -> None:
        raise ConnectionError("not connected")

    checks = {"nats": lost}
    made = create_app("toy", Settings(service="toy"), title="Toy", checks=checks)
    async with running(made) as client:
        for state, status in ((lost, 503), (well, 200), (lost, 503), (lost, 503)):
            checks["nats"] = state
            async with client.get("/health/ready") as response:
                assert response.status == status
    said = [record.message for record in caplog.records if record.name == "shared.web.health"]
    assert said == ["not ready: nats: not connected"]


@pytest.mark.parametrize("key", [["B-001", "x"], [1], [True], [None], [1.5], []])
async def test_a_cursor_of_another_shape_is_refused(client, key):
    cursor = urlsafe_b64encode(json.dumps(key).encode()).decode()
    for path in ("/boxes", "/numbers"):
        async with client.get(path, params={"cursor": cursor}) as response:
            expected = 200 if path == "/numbers" and json.dumps(key) == "[1]" else 400
            assert response.status == expected, (path, key)


async def test_an_address_without_anything_is_named_in_the_answer(client):
    async with client.get("/nowhere") as response:
        assert (await response.json(content_type=None))["detail"] == "There is nothing at /nowhere"
    async with client.delete("/boxes") as response:
        detail = (await response.json(content_type=None))["detail"]
        assert (response.status, detail) == (405, "DELETE is not possible at /boxes: GET is")


async def test_headers_have_a_limit(client):
    async with client.get("/boxes", headers={f"X-{n}": "x" * 8000 for n in range(9)}) as response:
        assert response.status == 431
        assert response.content_type == "application/problem+json"
