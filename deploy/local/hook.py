"""An agency's own web server for webhooks, as small as it can be: verify, use, answer.

Copy `genuine` and `serve` as a start: they need `aiohttp` and the endpoint's secret, nothing of
Kawal. `try_out` registers such a server with the local stack, and takes it back in the end.
"""

import asyncio
import hmac
import json
import time
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import aiohttp
from aiohttp import web

from shared.cli.app import Failure
from shared.testing.process import LOOPBACK

TOPICS = ["site", "departure", "incident", "endpoint", "letter"]
TOLERANCE = 300


def genuine(headers: Mapping[str, str], body: bytes, secret: str) -> bool:
    """Whether a request was signed with the secret, and within the last minutes."""
    id, at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not at.isdecimal() or abs(time.time() - int(at)) > TOLERANCE:
        return False
    key = b64decode(secret.removeprefix("whsec_"))
    content = f"{id}.{at}.".encode(errors="replace") + body
    signed = b"v1," + b64encode(hmac.digest(key, content, "sha256"))
    given = headers.get("webhook-signature", "").encode(errors="replace").split(b" ")
    return any(hmac.compare_digest(signed, each) for each in given)


@asynccontextmanager
async def serve(secret: Callable[[], str], use: Callable[[Any], None]) -> AsyncIterator[str]:
    """Hands every genuine event to `use`; yields the server's URL."""

    async def handle(request: web.Request) -> web.Response:
        body = await request.read()
        if not genuine(request.headers, body, secret()):
            return web.Response(status=401)
        use(json.loads(body))  # a webhook-id that was seen before is a repeat
        return web.Response(status=204)

    app = web.Application()
    app.router.add_post("/", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, LOOPBACK, 0).start()
    try:
        yield f"http://{LOOPBACK}:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


async def try_out(exchange: str, token: str, agency: str, count: int, seconds: float) -> None:
    """Prints the first facts that the agency's new endpoint gets of all that there were."""
    events: asyncio.Queue[Any] = asyncio.Queue()
    secret = ""
    endpoint = f"TRY-{uuid4().hex[:12]}"
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(exchange, headers=headers) as client:
        async with serve(lambda: secret, events.put_nowait) as url:
            wish = {"endpoint": endpoint, "agency": agency, "url": url, "topics": TOPICS}
            await _post(client, "/commands/register-endpoint", wish)
            made = await _post(client, f"/endpoints/{endpoint}/secret", {})
            secret = made["secret"]
            seen = f"at_least=exchange:{made['position']}"
            try:
                await _post(client, f"/endpoints/{endpoint}/ping?{seen}", {})
                await _post(client, f"/endpoints/{endpoint}/replay?{seen}", {"after": 0})
                await _show(events, count, seconds)
            finally:
                await _post(client, "/commands/disable-endpoint", {"endpoint": endpoint})


async def _post(client: aiohttp.ClientSession, path: str, body: Any) -> Any:
    key = {"Idempotency-Key": uuid4().hex}
    async with client.post(path, json=body, headers=key) as response:
        answer = await response.json()
        if response.status >= 400:
            raise Failure(f"{path}: {answer['detail']}")
        return answer


async def _show(events: "asyncio.Queue[Any]", count: int, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            for _ in range(count):
                event = await events.get()
                print(event["type"], event["subject"])
                print(" ", json.dumps(event["data"]))
    except TimeoutError:
        return
