"""Who may speak: only a bearer of a fresh token that the issuer signed for us."""

import hmac
import time
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator

import aiohttp
import orjson
import pytest
from fastapi import Depends, FastAPI
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey

from shared.settings import Settings
from shared.testing.web import AUDIENCE, ISSUER, Issuer, KnownKeys, running
from shared.web.app import create_app
from shared.web.auth import Authenticator, Caller, role
from shared.web.jwks import usable
from shared.web.principal import Principal, enclosing
from shared.web.problems import Unauthenticated

US = Issuer()


def app() -> FastAPI:
    made = create_app("toy", Settings(service="toy"), title="Toy", identity=US.authenticator())

    @made.get("/me")
    async def me(caller: Caller):
        return {"actor": caller.actor, "regions": sorted(caller.jurisdiction)}

    @made.get("/admin")
    async def admin(caller: Principal = Depends(role("admin"))):
        return {"actor": caller.actor}

    return made


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with running(app()) as client:
        yield client


async def status(client: aiohttp.ClientSession, token: str, path: str = "/me") -> int:
    async with client.get(path, headers={"Authorization": f"Bearer {token}"}) as response:
        if response.status == 401:
            assert response.headers["WWW-Authenticate"].startswith("Bearer")
        if response.status != 200:
            assert response.content_type == "application/problem+json"
        return response.status


async def test_a_good_token_names_the_caller(client):
    given = US.bearer(["clerk"], ["31.71", "31.72"], person="p-9")
    for _ in range(2):
        async with client.get("/me", headers=given) as response:
            assert await response.json() == {"actor": "p-9", "regions": ["31.71", "31.72"]}


NO_TOKENS = ["", "Bearer", "Bearer ", "Basic abc", "Bearer a.b", "Bearer a.b.c"]


@pytest.mark.parametrize("header", NO_TOKENS)
async def test_no_token_or_no_token_at_all_is_401(client, header):
    async with client.get("/me", headers={"Authorization": header}) as response:
        assert response.status == 401
        assert (await response.json(content_type=None))["code"] == "unauthenticated"
    async with client.get("/me") as response:
        assert response.status == 401


def _encoded(value: bytes) -> str:
    return urlsafe_b64encode(value).rstrip(b"=").decode()


def _part(value: object) -> str:
    return _encoded(orjson.dumps(value))


def _unsigned() -> str:
    _, claims, _ = US.token().split(".")
    return f"{_part({'alg': 'none'})}.{claims}."


def _with_the_public_key_as_secret() -> str:
    content = f"{_part({'alg': 'HS256', 'kid': US.key.kid})}.{_part(_claims())}"
    secret = US.key.as_pem(private=False)
    return f"{content}.{_encoded(hmac.digest(secret, content.encode(), 'sha256'))}"


def _critical() -> str:
    head = {"alg": "Ed25519", "kid": US.key.kid, "crit": ["x"], "x": 1}
    content = f"{_part(head)}.{_part(_claims())}"
    return f"{content}.{_encoded(US.key.private_key.sign(content.encode()))}"


def _claims(**more: object) -> dict[str, object]:
    said = {"iss": ISSUER, "aud": AUDIENCE, "sub": "p", "agency": "a", "exp": time.time() + 60}
    return said | more


def _signed(**more: object) -> str:
    head = {"alg": "Ed25519", "kid": US.key.kid}
    return jwt.encode(head, _claims(**more), US.key, algorithms=["Ed25519"])


def _tampered() -> str:
    head, _, signature = US.token().split(".")
    return f"{head}.{US.token(['admin']).split('.')[1]}.{signature}"


def now() -> int:
    return int(time.time())


REFUSED = {
    "expired": lambda: US.token(exp=now() - 1),
    "expired long ago": lambda: US.token(exp=now() - 86_400),
    "no expiry": lambda: US.token(exp=None),
    "expiry is a text": lambda: US.token(exp="tomorrow"),
    "expiry is true": lambda: US.token(exp=True),
    "not valid yet": lambda: US.token(nbf=now() + 600),
    "issued in the future": lambda: US.token(iat=now() + 600),
    "for another audience": lambda: US.token(aud="another"),
    "for no audience": lambda: US.token(aud=None),
    "of another issuer": lambda: US.token(iss="http://elsewhere.test"),
    "of no issuer": lambda: US.token(iss=None),
    "of nobody": lambda: US.token(sub=None),
    "of no id": lambda: US.token(sub="Budi Santoso <budi@example.org>"),
    "without an agency": lambda: US.token(agency=None),
    "roles are a text": lambda: _signed(roles="admin"),
    "a role is a wildcard": lambda: US.token(["*"]),
    "a region is a number": lambda: _signed(regions=[31]),
    "a region is a pattern": lambda: US.token((), ["31.*"]),
    "unsigned": _unsigned,
    "signed with the public key as a secret": _with_the_public_key_as_secret,
    "with others' claims": _tampered,
    "signed by another": lambda: Issuer().token(),
    "with a critical header": _critical,
    "of 20,000 characters": lambda: US.token(padding="x" * 20_000),
}


@pytest.mark.parametrize("make", REFUSED.values(), ids=REFUSED.keys())
async def test_a_token_that_is_not_ours_fresh_and_for_us_is_401(make):
    with pytest.raises(Unauthenticated):
        await US.authenticator().authenticate(make())


async def test_a_remembered_token_still_expires(monkeypatch):
    authenticator = US.authenticator()
    token = US.token(exp=now() + 60)
    assert (await authenticator.authenticate(token)).actor == "p-1"
    later = now() + 61
    monkeypatch.setattr("shared.web.auth.time.time", lambda: later)
    with pytest.raises(Unauthenticated):
        await authenticator.authenticate(token)


async def test_a_role_is_asked_for(client):
    assert await status(client, US.token(["clerk"]), "/admin") == 403
    assert await status(client, US.token(["admin"]), "/admin") == 200


@pytest.mark.parametrize(
    ("key", "alg"),
    [
        (RSAKey.generate_key(2048, auto_kid=True), "RS256"),
        (ECKey.generate_key("P-256", auto_kid=True), "ES256"),
        (OKPKey.generate_key("Ed25519", auto_kid=True), "EdDSA"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
async def test_the_usual_algorithms_are_accepted(key, alg):
    claims = {"iss": ISSUER, "aud": [AUDIENCE], "sub": "p-1", "agency": "kpu", "exp": now() + 60}
    token = jwt.encode({"alg": alg, "kid": key.kid}, claims, key, algorithms=[alg])
    keys = KnownKeys({"keys": [key.as_dict(private=False)]})
    assert (await Authenticator(ISSUER, AUDIENCE, keys).authenticate(token)).agency == "kpu"


def test_keys_for_encryption_secrets_and_keys_that_may_only_sign_are_left_out():
    public = US.key.as_dict(private=False)
    others = [
        public | {"kid": "enc", "use": "enc"},
        {k: v for k, v in public.items() if k != "use"} | {"kid": "sign", "key_ops": ["sign"]},
        {"kty": "oct", "k": "c2VjcmV0", "kid": "secret"},
    ]
    assert list(usable({"keys": [*others, public]})) == [US.key.kid]


def test_a_jurisdiction_covers_what_lies_within_it():
    principal = Principal("p", "a", frozenset(), frozenset({"31.71", "32"}))
    assert [principal.covers(code) for code in ("31.71", "31.71.01.1001", "32.04")] == [True] * 3
    assert [principal.covers(code) for code in ("31", "31.7", "31.72", "31.711")] == [False] * 4
    assert principal.covers_any(["31.72", "32.01"]) and not principal.covers_any([])
    assert Principal("p", "a", frozenset(), frozenset({"*"})).covers("11.01")
    assert enclosing("31.71.01") == ["31", "31.71", "31.71.01"]
