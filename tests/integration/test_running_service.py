"""A service put together and run on a real Postgres and a real NATS."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress

import aiohttp
import asyncpg
import pytest
from nats.errors import NoRespondersError
from toy_service import build

from shared import eventstore, projection
from shared.bus.commands import give
from shared.bus.requests import RequestFailed
from shared.runtime import Service
from shared.serving import StartFailed, running
from shared.settings import Settings
from shared.testing.bus import Bus
from shared.testing.postgres import Postgres
from shared.testing.process import ProcessId, free_port
from shared.testing.provision import Database, provision
from shared.testing.web import Issuer

ISSUER = Issuer()
ALL = frozenset({"api", "relay", "worker"})


def settings(bus: Bus, database: Database, **more) -> Settings:
    given = {
        "service": "custody",
        "port": 0,
        "database_url": database.app_dsn,
        "nats_url": bus.url,
        "nats_user": "test",
        "nats_password": "secret",
        "clock": "simulated",
        "start_timeout": 20,
        "stop_timeout": 5,
    }
    return Settings(**(given | more))


@pytest.fixture
async def migrated(database: Database) -> Database:
    await eventstore.migrate(database.owner_dsn, "test_app")
    await projection.migrate(database.owner_dsn, "test_app")
    return database


@asynccontextmanager
async def at_work(
    bus: Bus, database: Database, roles=ALL, **more
) -> AsyncIterator[tuple[Service, aiohttp.ClientSession]]:
    service = build(settings(bus, database, **more), ISSUER.authenticator())
    async with running(service, roles):
        async with aiohttp.ClientSession(f"http://127.0.0.1:{service.port}") as client:
            yield service, client


def headers(key: str, roles=("officer",), regions=("31.71",)) -> dict[str, str]:
    return ISSUER.bearer(roles, regions) | {"Idempotency-Key": key}


async def post(client, path: str, body: dict, key: str, **who) -> tuple[int, dict]:
    async with client.post(path, json=body, headers=headers(key, **who)) as response:
        return response.status, await response.json(content_type=None)


async def get(client, path: str, **who) -> tuple[int, dict]:
    async with client.get(path, headers=headers("-", **who)) as response:
        return response.status, await response.json(content_type=None)


async def test_what_is_written_is_read_and_everything_is_at_the_same_position(bus, migrated):
    async with at_work(bus, migrated) as (_, client):
        items = [{"name": "register-box", "box": f"B-{n:03}"} for n in range(300)]
        status, body = await post(client, "/commands", {"commands": items}, "all")
        assert status == 200 and {each["status"] for each in body["results"]} == {201}
        last = body["results"][-1]["position"]
        status, page = await get(client, f"/boxes?limit=1000&at_least=custody:{last}")
        assert status == 200 and len(page["items"]) == 300
        async with asyncio.timeout(10):
            while (at := (await get(client, "/positions"))[1])["stream"] != last:
                await asyncio.sleep(0.05)
        assert at["store"] == last and at["log_id"]
        assert at["projections"] == {"custody/boxes": {"custody": last}}


async def test_ready_when_all_is_open_and_the_documents_are_there(bus, migrated):
    async with at_work(bus, migrated) as (_, client):
        status, body = await get(client, "/health/ready")
        assert (status, body["status"]) == (200, "ok")
        parts = {"http", "relay", "responder", "worker", "scheduler"}
        assert body["checks"].keys() == {"postgres", "nats"} | parts
        _, document = await get(client, "/openapi.json")
        assert {"/commands/register-box", "/commands/move-clock", "/boxes", "/positions"} <= set(
            document["paths"]
        )


async def test_refusals_are_problems_and_their_records_are_kept(bus, migrated):
    async with at_work(bus, migrated) as (_, client):
        box = {"box": "B-1"}
        for _ in range(2):
            status, body = await post(client, "/commands/inspect-box", box, "inspect")
            assert (status, body["code"], body["position"]) == (409, "seal-broken", 1)
        assert (await post(client, "/commands/register-box", box, "1"))[0] == 201
        _, again = await post(client, "/commands/register-box", box, "2")
        assert again["code"] == "already-known"
        outside = await post(client, "/commands/register-box", {"box": "B-2"}, "3", regions=["32"])
        assert outside[0] == 403
        status, body = await post(client, "/commands/register-box", {"box": "B-9"}, "1")
        assert (status, body["code"]) == (422, "idempotency-key-reused")
        assert (await get(client, "/positions"))[1]["store"] == 2


async def test_one_of_many_who_want_the_same_wins(bus, migrated):
    async with at_work(bus, migrated) as (_, client):
        await post(client, "/commands/register-box", {"box": "B-1"}, "register")
        tries = [
            post(client, "/commands/load-box", {"box": "B-1", "consignment": f"C-{n}"}, f"load-{n}")
            for n in range(50)
        ]
        statuses = sorted([status for status, _ in await asyncio.gather(*tries)])
        assert statuses == [201] + [409] * 49


async def test_the_clock_is_moved_by_its_role_alone_and_what_is_due_is_done_by_then(bus, migrated):
    async with at_work(bus, migrated) as (_, client):
        to = {"to": "2024-02-13T02:00:00+07:00"}
        assert (await post(client, "/commands/move-clock", to, "1"))[0] == 403
        assert (await post(client, "/commands/move-clock", to, "1", roles=["clock"]))[0] == 403
        who = {"roles": ["clock"], "regions": ["31"]}
        status, moved = await post(client, "/commands/move-clock", to, "1", **who)
        assert (status, moved["position"]) == (201, 1)
        assert (await get(client, "/clock"))[1] == {
            "now": "2024-02-12T19:00:00Z",
            "kind": "simulated",
        }
        _, log = await get(client, "/events", roles=["auditor"], regions=["31"])
        assert [event["type"] for event in log["events"]] == [
            "custody.clock-moved.v1",
            "custody.unit-registered.v1",
        ]
        assert log["events"][1]["meta"]["actor"] == "custody"
        back = await post(
            client, "/commands/move-clock", {"to": "2024-01-01T00:00:00Z"}, "2", **who
        )
        assert (back[0], back[1]["code"]) == (409, "clock-backwards")
    async with at_work(bus, migrated) as (_, client):
        assert (await get(client, "/clock"))[1]["now"] == "2024-02-12T19:00:00Z"


async def test_a_service_gives_commands_over_nats_as_itself(bus, migrated):
    async with at_work(bus, migrated) as (_, client):
        nats = await bus.connect()
        given = {"box": "B-1"}
        answer = None
        while answer is None:
            with suppress(NoRespondersError):
                answer = await give(nats, "custody", "register-box", "exchange", given, "k-1")
        assert answer["outcome"] == "accepted"
        again = await give(nats, "custody", "register-box", "exchange", given, "k-1")
        assert again == answer
        with pytest.raises(RequestFailed, match="gives no commands"):
            await give(nats, "custody", "register-box", "stranger", {"box": "B-2"}, "k-2")
        _, log = await get(client, "/events", roles=["auditor"], regions=["31"])
        assert [event["meta"]["actor"] for event in log["events"]] == ["exchange"]
        await nats.close()


async def test_on_real_time_nobody_moves_the_clock(bus, migrated):
    async with at_work(bus, migrated, clock="real") as (_, client):
        who = {"roles": ["clock"], "regions": ["31"]}
        move = {"to": "2030-01-01T00:00:00Z"}
        assert (await post(client, "/commands/move-clock", move, "1", **who))[0] == 404


async def test_a_read_model_is_rebuilt_on_request_of_an_administrator(bus, migrated):
    async with at_work(bus, migrated) as (service, client):
        _, body = await post(client, "/commands/register-box", {"box": "B-1"}, "1")
        await service.worker.wait_for("custody", body["position"])
        path = "/projections/boxes/rebuild"
        assert (await post(client, path, {}, "-"))[0] == 403
        admin = {"roles": ["admin"], "regions": ["31"]}
        assert (await post(client, path, {}, "-", roles=["admin"]))[0] == 403
        assert (await post(client, "/projections/nothing/rebuild", {}, "-", **admin))[0] == 404
        assert (await post(client, path, {}, "-", **admin))[0] == 202
        async with asyncio.timeout(20):
            while (await get(client, "/projections"))[1]["boxes"]["state"] != "live":
                await asyncio.sleep(0.05)
        assert len((await get(client, "/boxes"))[1]["items"]) == 1
        assert (await get(client, "/parked", **admin))[1] == {"events": [], "commands": []}


async def test_the_log_shows_what_concerns_the_readers_regions_and_where_to_go_on(bus, migrated):
    async with at_work(bus, migrated) as (_, client):
        for box in "12":
            await post(client, "/commands/register-box", {"box": box}, box)
        elsewhere = {"roles": ["auditor"], "regions": ["31.01"]}
        assert (await get(client, "/events?limit=1", **elsewhere))[1] == {"events": [], "next": 1}
        assert (await get(client, "/events?after=1&limit=1", **elsewhere))[1]["next"] is None
        assert (await get(client, "/events", **elsewhere))[1] == {"events": [], "next": None}
        assert (await get(client, "/parked", **elsewhere))[0] == 403


async def test_roles_may_be_processes_of_their_own(bus, migrated):
    async with at_work(bus, migrated, {"api"}) as (_, client):
        async with at_work(bus, migrated, {"api", "relay", "worker"}) as (_, other):
            who = {"roles": ["clock"], "regions": ["31"]}
            to = {"to": "2024-02-01T00:00:00Z"}
            await post(other, "/commands/move-clock", to, "1", **who)
            status, body = await post(client, "/commands/register-box", {"box": "B-1"}, "2")
            assert status == 201
            status, page = await get(client, f"/boxes?at_least=custody:{body['position']}")
            assert status == 200 and len(page["items"]) == 1
            async with asyncio.timeout(5):
                while (await get(client, "/clock"))[1]["now"] != "2024-02-01T00:00:00Z":
                    await asyncio.sleep(0.05)


async def test_before_its_servers_are_there_it_lives_and_is_not_ready(bus, migrated):
    bus.kill()
    service = build(settings(bus, migrated), ISSUER.authenticator())
    started = asyncio.Event()

    async def run() -> None:
        async with running(service, ALL):
            started.set()
            await asyncio.sleep(60)

    task = asyncio.create_task(run())
    async with asyncio.timeout(20):
        while not service.port:
            await asyncio.sleep(0.01)
        async with aiohttp.ClientSession(f"http://127.0.0.1:{service.port}") as client:
            assert (await get(client, "/health/live"))[0] == 200
            assert (await get(client, "/health/ready"))[0] == 503
            status, body = await get(client, "/parked", roles=["admin"], regions=["31"])
            assert status in (404, 503) and body["code"]
            bus.start()
            await started.wait()
            assert (await get(client, "/health/ready"))[0] == 200
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_start_without_postgres_ends_with_a_reason(bus, migrated):
    dsn = "postgresql://test_app:app-secret@127.0.0.1:1/nothing"
    service = build(settings(bus, migrated, database_url=dsn, start_timeout=0.5))
    with pytest.raises(StartFailed, match="event store"):
        async with running(service, ALL):
            pass


@pytest.fixture
def own_postgres(tmp_path) -> Iterator[Postgres]:
    server = Postgres(tmp_path / "postgres", free_port(), "secret")
    server.start()
    yield server
    server.stop(ProcessId.of(pid(server)))


async def test_while_postgres_is_away_the_answer_is_503_and_later_all_is_well(bus, own_postgres):
    admin = await asyncpg.connect(own_postgres.dsn())
    made = await provision(own_postgres, admin, "boxes", ("owner", "app"))
    await admin.close()
    await eventstore.migrate(made.owner_dsn, "boxes_app")
    await projection.migrate(made.owner_dsn, "boxes_app")
    async with at_work(bus, made, store_patience=0.5) as (_, client):
        await post(client, "/commands/register-box", {"box": "B-1"}, "1")
        os.kill(pid(own_postgres), signal.SIGKILL)
        answers = [
            post(client, "/commands/register-box", {"box": "B-2"}, "2"),
            post(client, "/commands", {"commands": [{"name": "register-box", "box": "B-3"}]}, "3"),
            get(client, "/boxes"),
            get(client, "/positions"),
        ]
        for status, body in await asyncio.gather(*answers):
            assert status == 503 or body["results"][0]["status"] == 503, body
        assert (await get(client, "/health/ready"))[0] == 503
        assert (await get(client, "/health/live"))[0] == 200
        await asyncio.to_thread(own_postgres.start)
        for box, key in (("B-2", "2"), ("B-4", "4")):
            async with asyncio.timeout(20):
                body = {"box": box}
                while (made := await post(client, "/commands/register-box", body, key))[0] == 503:
                    await asyncio.sleep(0.1)
            assert made[0] == 201, made
        status, page = await get(client, f"/boxes?at_least=custody:{made[1]['position']}")
        assert [box["unit"] for box in page["items"]] == ["B-1", "B-2", "B-4"]


def pid(server: Postgres) -> int:
    return int((server.data / "postmaster.pid").read_text().splitlines()[0])
