"""Endpoints and their secrets, replays and pings: who may, and what is refused."""

import asyncio
from socket import AF_INET, SOCK_STREAM
from typing import Any

import orjson
import pytest
from aiohttp import web
from exchange_stack import ADMIN, BAWASLU, POLICE, PROSECUTOR, at_work
from standardwebhooks import Webhook
from webhook_receiver import (
    POLDA,
    notices,
    queued,
    quick,
    receiving,
    register,
    sending,
    subject,
    wait_for_state,
)
from yarl import URL

from services.exchange.webhooks import courier, replay
from services.exchange.webhooks.sender import Sender

INSIDE = ("10.0.0.1", "[::ffff:10.0.0.1]", "0x7f.1", "2130706433", "localhost")


pytestmark = pytest.mark.usefixtures("loopback")


async def test_both_secrets_sign_while_they_overlap_and_neither_is_shown_again(database):
    async with at_work(database) as exchange, receiving() as receiver, sending(exchange):
        await exchange.directory()
        first = await register(exchange, receiver.url)
        status, answer = await exchange.post("/endpoints/POLDA-1/secret", {}, POLICE, key="again")
        assert status == 201
        second = answer["secret"]
        assert (await exchange.post("/endpoints/POLDA-1/secret", {}, POLICE, key="again"))[0] == 409
        await notices(exchange.service.store, ["A"])
        [got] = await receiver.accept(1)
        for secret in (first, second):
            assert secret.startswith("whsec_")
            Webhook(secret).verify(got.body, got.headers)
        shown = str([await exchange.get(f"/endpoints{path}", POLICE) for path in ("", "/POLDA-1")])
        kept = b"".join(
            event.data + event.meta for event in await exchange.service.store.read_all(0, 1_000)
        )
        for secret in (first, second):
            assert secret[6:] not in shown and secret[6:].encode() not in kept


async def test_two_secrets_made_at_once_do_not_both_sign_for_ever(database):
    async with at_work(database) as exchange:
        await exchange.directory()
        await register(exchange, "https://agency.example/hook")
        path = "/endpoints/POLDA-1/secret"
        made = await asyncio.gather(*(exchange.post(path, {}, POLICE) for _ in range(5)))
        assert {status for status, _ in made} == {201}
        query = "select count(*) from webhook.secret where ends_at is null"
        assert await exchange.service.pool.fetchval(query) == 1


async def test_a_secret_that_signs_no_more_is_not_kept(database):
    async with at_work(database) as exchange:
        await exchange.directory()
        await register(exchange, "https://agency.example/hook")
        pool = exchange.service.pool
        await pool.execute("update webhook.secret set ends_at = now()")
        await exchange.post("/endpoints/POLDA-1/secret", {}, POLICE)
        assert await pool.fetchval("select count(*) from webhook.secret") == 1


async def test_what_was_claimed_goes_to_where_the_endpoint_is_by_now(database, monkeypatch):
    monkeypatch.setattr(courier, "CLAIM_SECONDS", 0.0)
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def answer(event: dict[str, Any]) -> int:
        asked.set()
        await go_on.wait()
        return 204

    async with at_work(database) as exchange, receiving(answer) as old, receiving() as new:
        async with sending(exchange, quick(at_once=1)):
            await exchange.directory()
            await register(exchange, old.url, topics=["departure"])
            await notices(exchange.service.store, "ABC")
            await asked.wait()
            moved = {"endpoint": "POLDA-1", "agency": POLDA, "topics": ["departure"]}
            await exchange.command("change-endpoint", moved | {"url": new.url}, POLICE)
            await queued(exchange)
            go_on.set()
            assert {subject(each.event) for each in await new.accept(2)} == {"B", "C"}
        assert [subject(each.event) for each in old.got] == ["A"]


async def test_who_is_over_an_endpoint_changes_with_its_agencys_region(database):
    async with at_work(database) as exchange, sending(exchange):
        await exchange.directory()
        await register(exchange, "https://agency.example/hook", topics=["departure"])
        [*_, last] = await exchange.service.store.read_stream(f"agency-{POLDA}")
        agency = orjson.loads(last.data)
        agency["agency_name"] = agency.pop("name")
        await exchange.command("register-agency", agency | {"region": "31.74"}, ADMIN)
        same = {"endpoint": "POLDA-1", "agency": POLDA, "topics": ["departure"]}
        url = {"url": "https://agency.example/hook"}
        await exchange.command("change-endpoint", same | url, POLICE)
        await queued(exchange)
        assert len(await exchange.items("/endpoints", BAWASLU, regions=("31.74",))) == 1
        assert await exchange.items("/endpoints", BAWASLU, regions=("31.71",)) == []


@pytest.mark.parametrize(
    "later", ["Mon, 01 Jan 2024 00:00:00 +99999999999999999999", "Mon, 99999999999999999999 Jan 1"]
)
async def test_no_word_on_when_to_come_again_stops_the_sender(later):
    def answer(event: dict[str, Any]) -> web.Response:
        return web.Response(status=429, headers={"Retry-After": later})

    async with receiving(answer) as receiver, Sender(quick()) as sender:
        outcome = await sender.send(receiver.url, [b"s" * 32], "id-1", b"{}")
    assert (outcome.status, outcome.retry_after) == (429, None)


async def test_without_a_secret_nothing_is_sent_until_there_is_one(database):
    async with at_work(database) as exchange, receiving() as receiver, sending(exchange):
        await exchange.directory()
        body = {"endpoint": "E", "agency": POLDA, "url": receiver.url, "topics": ["departure"]}
        await exchange.command("register-endpoint", body, POLICE)
        await notices(exchange.service.store, ["A"])
        await queued(exchange)
        assert not receiver.got
        await exchange.post("/endpoints/E/secret", {}, POLICE)
        await receiver.accept(1)


async def test_a_replay_is_counted_first_and_repeats_the_same_ids(database):
    async with at_work(database) as exchange, receiving() as receiver, sending(exchange):
        await exchange.directory()
        store = exchange.service.store
        await notices(store, ["EARLY"])
        await register(exchange, receiver.url, topics=["departure"])
        await notices(store, ["A", "B", "C"])
        before = [each.id for each in await receiver.accept(3)]
        await wait_for_state(exchange, "delivered", 3)
        path = "/endpoints/POLDA-1/replay"
        _, counted = await exchange.post(path, {"after": 0, "dry_run": True}, POLICE)
        assert counted == {"after": 0, "deliveries": 4, "dry_run": True}
        assert len(receiver.got) == 3
        await exchange.post(path, {"after": 0}, POLICE)
        again = (await receiver.accept(7))[3:]
        assert {subject(each.event) for each in again} == {"EARLY", "A", "B", "C"}
        assert set(before) < {each.id for each in again}
        third = next(e for e in await store.read_all(0, 1_000) if b'"subject":"C"' in e.data)
        since = {"since": third.recorded_at.isoformat(), "dry_run": True}
        _, counted = await exchange.post(path, since, POLICE)
        assert counted["deliveries"] == 3  # one append, one time


async def test_a_replay_that_was_cut_off_sends_nothing(database, monkeypatch):
    async with at_work(database) as exchange, receiving() as receiver, sending(exchange):
        await exchange.directory()
        await register(exchange, receiver.url, topics=["departure"])
        await notices(exchange.service.store, "AB")
        await wait_for_state(exchange, "delivered", 2)
        real, pages = replay.wanted, []

        async def cut_off(store: Any, wishes: Any, events: Any) -> Any:
            found = await real(store, wishes, events)
            if pages and pages[-1]:
                raise ConnectionError
            pages.append(found)
            return found

        with monkeypatch.context() as patched:
            patched.setattr(replay, "PAGE", 1)
            patched.setattr(replay, "wanted", cut_off)
            status, _ = await exchange.post("/endpoints/POLDA-1/replay", {"after": 0}, POLICE)
            assert status == 503 and pages[-1]
        await notices(exchange.service.store, "C")
        await receiver.accept(3)
        assert [subject(each.event) for each in receiver.got][2:] == ["C"]


async def test_only_its_agency_and_those_over_its_region_have_to_do_with_an_endpoint(database):
    async with at_work(database) as exchange, receiving() as receiver, sending(exchange):
        await exchange.directory()
        body = {"endpoint": "E", "agency": POLDA, "url": receiver.url, "topics": ["departure"]}
        assert (await exchange.post("/commands/register-endpoint", body, PROSECUTOR))[0] == 403
        assert (await exchange.post("/commands/register-endpoint", body, BAWASLU))[0] == 403
        jabar = {"regions": ("32",)}
        assert (await exchange.post("/commands/register-endpoint", body, **jabar))[0] == 403
        beyond = body | {"within": ["32.01"]}
        status, problem = await exchange.post("/commands/register-endpoint", beyond, POLICE)
        assert (status, problem["code"]) == (422, "outside-jurisdiction")
        await exchange.command("register-endpoint", body, POLICE)
        await notices(exchange.service.store, ["A"])
        await queued(exchange)
        [waiting] = await exchange.items("/deliveries", POLICE)
        acts = ("/endpoints/E/ping", "/endpoints/E/secret", f"/deliveries/{waiting['id']}/release")
        for path in acts:
            assert (await exchange.post(path, {}, PROSECUTOR))[0] in (403, 404)
            assert (await exchange.post(path, {}, BAWASLU))[0] == 403
        assert (await exchange.post("/endpoints/E/replay", {"after": 0}, BAWASLU))[0] == 403
        assert await exchange.items("/endpoints", PROSECUTOR) == []
        assert await exchange.items("/deliveries", PROSECUTOR) == []
        assert (await exchange.get("/endpoints/E", PROSECUTOR))[0] == 404
        assert [row["endpoint"] for row in await exchange.items("/endpoints", BAWASLU)] == ["E"]
        assert await exchange.items("/endpoints", BAWASLU, regions=("32",)) == []


async def test_a_ping_says_what_came_of_it_and_nothing_of_what_is_inside(database, monkeypatch):
    async with at_work(database) as exchange, receiving() as receiver, sending(exchange):
        await exchange.directory()
        secret = await register(exchange, receiver.url)
        await queued(exchange)
        _, answer = await exchange.post("/endpoints/POLDA-1/ping", {}, POLICE)
        assert answer["ok"] and answer["status"] == 204
        [got] = receiver.got
        assert Webhook(secret).verify(got.body, got.headers)["type"] == "exchange.ping.v1"
        monkeypatch.delenv("KAWAL_WEBHOOK_LOOPBACK")
        for number, host in enumerate(
            ("10.0.0.1", "[::ffff:10.0.0.1]", "0x7f.1", "2130706433", "localhost")
        ):
            await register(exchange, f"https://{host}:9/", f"IN-{number}")
            await queued(exchange)
            _, answer = await exchange.post(f"/endpoints/IN-{number}/ping", {}, POLICE)
            assert (answer["ok"], answer["error"]) == (False, "refused-address")


@pytest.mark.parametrize(
    "url",
    [
        "http://agency.example/hook",
        "ftp://agency.example/hook",
        "https://user:word@agency.example/",
        "https://agency.example/#part",
        "https:///hook",
        "https://agency.example:99999/",
        "http://10.0.0.1/",
    ],
)
async def test_where_nothing_is_sent_cannot_be_registered(database, url):
    async with at_work(database) as exchange:
        await exchange.directory()
        body = {"endpoint": "E", "agency": POLDA, "url": url, "topics": ["departure"]}
        status, problem = await exchange.post("/commands/register-endpoint", body, POLICE)
        assert (status, problem["code"]) == (422, "bad-url")


async def test_a_connection_goes_to_the_address_that_was_checked_under_the_name_of_the_url():
    async with receiving() as receiver:
        port = URL(receiver.url).port
        asked = f"http://agency.example:{port}/", [b"s" * 32], "id-1", b'{"id": "1"}'

        async def look_up(host: str, port: int) -> list[Any]:
            return [(AF_INET, SOCK_STREAM, 0, "", ("127.0.0.1", port))]

        async with Sender(quick(), look_up) as sender:
            assert (await sender.send(*asked)).status == 204
        async with Sender(quick(loopback=False), look_up) as sender:
            outcome = await sender.send(*asked)
            assert (outcome.status, outcome.error) == (None, "refused-address")
    [got] = receiver.got
    assert got.headers["host"] == f"agency.example:{port}"
