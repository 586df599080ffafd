"""The issuer's keys: fetched once, again when a key is new, and never by every request."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from shared.testing.process import free_port
from shared.testing.web import AUDIENCE, ISSUER, Issuer
from shared.web import jwks
from shared.web.auth import Authenticator
from shared.web.jwks import Jwks
from shared.web.problems import Unauthenticated, Unavailable


class Published:
    """An issuer's key set on a port; counts who asks."""

    def __init__(self) -> None:
        self.issuers = [Issuer()]
        self.asked = 0
        self.port = free_port()
        self.runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/keys"

    async def keys(self, _: web.Request) -> web.Response:
        self.asked += 1
        return web.json_response({"keys": [i.key.as_dict(private=False) for i in self.issuers]})

    async def in_pieces(self, request: web.Request) -> web.StreamResponse:
        body = (await self.keys(request)).body
        response = web.StreamResponse()
        await response.prepare(request)
        for piece in (body[:20], body[20:]):
            await response.write(piece)
            await asyncio.sleep(0.05)
        return response

    async def start(self) -> None:
        app = web.Application()
        app.router.add_get("/keys", self.keys)
        app.router.add_get("/keys/in-pieces", self.in_pieces)
        self.runner = web.AppRunner(app)
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", self.port).start()

    async def stop(self) -> None:
        if self.runner is not None:
            await self.runner.cleanup()


@pytest.fixture
async def published() -> AsyncIterator[Published]:
    made = Published()
    yield made
    await made.stop()


def authenticator(published: Published) -> Authenticator:
    return Authenticator(ISSUER, AUDIENCE, Jwks(published.url, ISSUER))


async def test_many_tokens_ask_for_the_keys_once(published):
    await published.start()
    us = authenticator(published)
    [issuer] = published.issuers
    tokens = [issuer.token(person=f"p-{n}") for n in range(20)]
    found = await asyncio.gather(*(us.authenticate(token) for token in tokens))
    assert {principal.actor for principal in found} == {f"p-{n}" for n in range(20)}
    assert published.asked == 1


async def test_keys_that_arrive_in_pieces_are_read_whole(published):
    await published.start()
    us = Authenticator(ISSUER, AUDIENCE, Jwks(f"{published.url}/in-pieces", ISSUER))
    assert (await us.authenticate(published.issuers[0].token(person="p-1"))).actor == "p-1"


async def test_a_new_key_is_found_and_unknown_ones_do_not_hammer_the_issuer(published, monkeypatch):
    await published.start()
    us = authenticator(published)
    await us.authenticate(published.issuers[0].token())
    monkeypatch.setattr(jwks, "RETRY_SECONDS", 0.0)
    published.issuers.append(Issuer())
    await us.authenticate(published.issuers[1].token())
    assert published.asked == 2
    monkeypatch.setattr(jwks, "RETRY_SECONDS", 60.0)
    for _ in range(10):
        with pytest.raises(Unauthenticated):
            await us.authenticate(Issuer().token())
    assert published.asked == 2


async def test_an_issuer_that_is_away_is_503_until_it_is_back(published, monkeypatch):
    monkeypatch.setattr(jwks, "RETRY_SECONDS_AT_FIRST", 0.0)
    us = authenticator(published)
    token = published.issuers[0].token()
    with pytest.raises(Unavailable):
        await us.authenticate(token)
    await published.start()
    assert (await us.authenticate(token)).actor == "p-1"


async def test_known_keys_outlive_their_issuer(published, monkeypatch):
    await published.start()
    us = authenticator(published)
    await us.authenticate(published.issuers[0].token())
    await published.stop()
    monkeypatch.setattr(jwks, "KEEP_SECONDS", 0.0)
    monkeypatch.setattr(jwks, "RETRY_SECONDS", 0.0)
    assert (await us.authenticate(published.issuers[0].token(person="p-2"))).actor == "p-2"
