"""Bearer tokens (RFC 9068 in spirit): verified once, then remembered until they expire."""

import re
import time
from base64 import b64decode
from collections.abc import Callable
from typing import Annotated, Any

import orjson
from fastapi import Depends
from fastapi.openapi.models import HTTPBearer as HTTPBearerModel
from fastapi.security.base import SecurityBase
from joserfc import jwt
from joserfc.errors import JoseError
from starlette.requests import Request

from shared.settings import Settings
from shared.web.jwks import Jwks
from shared.web.principal import Principal
from shared.web.problems import Unauthenticated

ALGORITHMS = ("RS256", "ES256", "EdDSA", "Ed25519")
LEEWAY_SECONDS = 30
REMEMBER_SECONDS = 300.0
MOST_REMEMBERED = 10_000
MOST_TOKEN_CHARACTERS = 16_384

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9.\-]{0,79}")
_ROLE = re.compile(r"[a-z][a-z0-9\-]{0,39}")
_REGION = re.compile(r"\*|[0-9]{2}(\.[0-9]{2}(\.[0-9]{2}(\.[0-9]{4})?)?)?")


class Authenticator:
    """Turns a bearer token into a `Principal`, or raises `Unauthenticated`."""

    def __init__(self, issuer: str, audience: str, jwks: Jwks) -> None:
        self._jwks = jwks
        self._claims = jwt.JWTClaimsRegistry(
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": audience},
            exp={"essential": True},
            sub={"essential": True},
        )
        self._remembered: dict[str, tuple[Principal, float]] = {}

    async def authenticate(self, token: str) -> Principal:
        known = self._remembered.get(token)
        if known is not None and time.time() < known[1]:
            return known[0]
        claims = await self._verify(token)
        principal = principal_of(claims)
        self._remember(token, principal, float(claims["exp"]))
        return principal

    async def _verify(self, token: str) -> dict[str, Any]:
        if len(token) > MOST_TOKEN_CHARACTERS:
            raise _refuse("The token is too long")
        try:
            header = _header(token)
            if header.get("alg") not in ALGORITHMS:
                raise _refuse("The token's algorithm is not accepted")
            kid = header.get("kid")
            key = await self._jwks.find(kid if isinstance(kid, str) else None)
            if key is None:
                raise _refuse("The token's key is not one of the issuer's")
            claims = jwt.decode(token, key, algorithms=list(ALGORITHMS)).claims
            self._claims.validate(claims)
            # The leeway is for clocks that are behind, not for old tokens.
            if claims["exp"] <= time.time():
                raise _refuse("The token has expired")
        except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise _refuse(f"The token is not valid: {_reason(error)}") from None
        return claims

    def _remember(self, token: str, principal: Principal, expiry: float) -> None:
        if len(self._remembered) >= MOST_REMEMBERED:
            self._remembered.clear()
        self._remembered[token] = (principal, min(expiry, time.time() + REMEMBER_SECONDS))


def _header(token: str) -> dict[str, Any]:
    encoded = token.partition(".")[0]
    header = orjson.loads(b64decode(encoded + "=" * (-len(encoded) % 4), b"-_", validate=True))
    if not isinstance(header, dict):
        raise ValueError("not an object")
    return header


def principal_of(claims: dict[str, Any]) -> Principal:
    """The principal that the claims `sub`, `agency`, `roles` and `regions` describe."""
    roles, regions = claims.get("roles", []), claims.get("regions", [])
    if not all(_is(_ID, claims.get(name)) for name in ("sub", "agency")):
        raise _refuse("The claims sub and agency must be ids")
    if not isinstance(roles, list) or not all(_is(_ROLE, role) for role in roles):
        raise _refuse("The claim roles must be a list of names")
    if not isinstance(regions, list) or not all(_is(_REGION, region) for region in regions):
        raise _refuse("The claim regions must be a list of region codes")
    return Principal(claims["sub"], claims["agency"], frozenset(roles), frozenset(regions))


def _is(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, JoseError) else "it is malformed"


def _refuse(detail: str) -> Unauthenticated:
    refused = Unauthenticated(detail)
    refused.headers = {"WWW-Authenticate": 'Bearer realm="kawal", error="invalid_token"'}
    return refused


READERS = (
    "operator",
    "custodian",
    "supervisor",
    "auditor",
    "registrar",
    "agency",
    "admin",
    "service",
)
"""The roles with which one reads what lies in one's regions."""


class Bearer(SecurityBase):
    """The dependency that names the caller, and shows in OpenAPI that there must be one."""

    def __init__(self) -> None:
        self.model = HTTPBearerModel(bearerFormat="JWT")
        self.scheme_name = "bearer"

    async def __call__(self, request: Request) -> Principal:
        return await caller(request)


async def caller(request: Request) -> Principal:
    """Who sent this request; without a valid token, 401."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated("Send a bearer token in the header Authorization")
    authenticator: Authenticator = request.app.state.authenticator
    return await authenticator.authenticate(token.strip())


bearer = Bearer()
Caller = Annotated[Principal, Depends(bearer)]


def role(*names: str) -> Callable[[Principal], Principal]:
    """A dependency: the caller, who must have one of these roles. `Depends(role("admin"))`."""

    def admitted(principal: Caller) -> Principal:
        principal.require(*names)
        return principal

    return admitted


def authenticator(settings: Settings) -> Authenticator:
    jwks = Jwks(settings.jwks_url, settings.issuer)
    return Authenticator(settings.issuer, settings.audience, jwks)
