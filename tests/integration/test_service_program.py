"""A service as a program: exit statuses, a reason in one line, JSON logs, an orderly end."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from toy_service import build

from shared import eventstore, projection
from shared.serving import main
from shared.testing.bus import Bus
from shared.testing.process import free_port
from shared.testing.provision import Database
from shared.testing.web import AUDIENCE, Issuer

HERE = Path(__file__).parent
PROGRAM = "from toy_service import build; from shared.serving import main; main('custody', build)"
TRACE = "0af7651916cd43dd8448eb211c80319c"


def environment(**settings: object) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("KAWAL_")}
    paths = os.pathsep.join([str(HERE), str(HERE.parent.parent)])
    given = {f"KAWAL_{name.upper()}": str(value) for name, value in settings.items()}
    return kept | {"PYTHONPATH": paths} | given


async def start(**settings: object) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PROGRAM),
        env=environment(**settings),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def ended(process: asyncio.subprocess.Process) -> tuple[int, str, str]:
    async with asyncio.timeout(30):
        out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


@asynccontextmanager
async def issuing(issuer: Issuer, collected: list[bytes]) -> AsyncIterator[str]:
    """An issuer that is found by discovery, and beside it a collector of traces."""
    port = free_port()
    base = f"http://127.0.0.1:{port}"

    async def discovery(_: web.Request) -> web.Response:
        return web.json_response({"issuer": base, "jwks_uri": f"{base}/keys"})

    async def keys(_: web.Request) -> web.Response:
        return web.json_response({"keys": [issuer.key.as_dict(private=False)]})

    async def traces(request: web.Request) -> web.Response:
        collected.append(await request.read())
        return web.Response()

    app = web.Application()
    app.router.add_get("/.well-known/openid-configuration", discovery)
    app.router.add_get("/keys", keys)
    app.router.add_post("/v1/traces", traces)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield base
    finally:
        await runner.cleanup()


async def ready(client: aiohttp.ClientSession) -> None:
    async with asyncio.timeout(30):
        while True:
            try:
                async with client.get("/health/ready") as response:
                    if response.status == 200:
                        return
            except aiohttp.ClientConnectionError:
                pass
            await asyncio.sleep(0.05)


async def test_it_runs_traces_and_ends_when_told(bus: Bus, database: Database):
    await eventstore.migrate(database.owner_dsn, "test_app")
    await projection.migrate(database.owner_dsn, "test_app")
    issuer, collected, port = Issuer(), [], free_port()
    async with issuing(issuer, collected) as base:
        process = await start(
            port=port,
            database_url=database.app_dsn,
            nats_url=bus.url,
            nats_user="test",
            nats_password="secret",
            issuer=base,
            audience=AUDIENCE,
            otlp_endpoint=base,
        )
        try:
            async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as client:
                await ready(client)
                given = issuer.bearer(["officer", "auditor"], ["31"], iss=base)
                given |= {"Idempotency-Key": "1", "traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
                box = {"box": "B-1"}
                async with client.post("/commands/register-box", json=box, headers=given) as made:
                    assert made.status == 201, await made.text()
                async with client.get("/events", headers=given) as response:
                    [event] = (await response.json())["events"]
                assert event["meta"]["traceparent"].startswith(f"00-{TRACE}-")
        finally:
            process.send_signal(signal.SIGTERM)
            status, out, err = await ended(process)
    assert (status, err) == (0, "")
    logged = [json.loads(line) for line in out.splitlines()]
    assert {line["service"] for line in logged} == {"custody"}
    assert any(line["message"].startswith("custody runs as") for line in logged)
    spans = b"".join(collected)
    assert b"POST /commands/register-box" in spans and bytes.fromhex(TRACE) in spans
    assert b"B-1" not in spans


@pytest.mark.parametrize(
    ("name", "value"), [("ROLES", "api,cook"), ("PORT", "high"), ("CLOCK", "broken")]
)
def test_a_setting_that_makes_no_sense_is_named_in_one_line(monkeypatch, capsys, name, value):
    monkeypatch.setenv(f"KAWAL_{name}", value)
    with pytest.raises(SystemExit) as exit:
        main("custody", build)
    assert exit.value.code == 2
    err = capsys.readouterr().err
    assert len(err.splitlines()) == 1 and f"KAWAL_{name}" in err


async def test_what_cannot_start_says_why_in_one_line():
    taken = await asyncio.start_server(lambda r, w: None, "127.0.0.1", 0)
    port = taken.sockets[0].getsockname()[1]
    status, _, err = await ended(await start(port=port))
    assert status == 2
    assert len(err.splitlines()) == 1 and str(port) in err
    taken.close()
