"""The issuer's public keys, fetched when needed and kept."""

import asyncio
import logging
import time
from typing import Any

import aiohttp
import orjson
from joserfc.errors import JoseError
from joserfc.jwk import import_key

from shared.web.problems import Unavailable

log = logging.getLogger(__name__)

KEEP_SECONDS = 600.0
RETRY_SECONDS = 5.0
RETRY_SECONDS_AT_FIRST = 0.5
TIMEOUT = aiohttp.ClientTimeout(total=5)
MOST_BYTES = 1_000_000

_AWAY = (aiohttp.ClientError, TimeoutError)
_NONSENSE = (JoseError, ValueError, KeyError, TypeError, AttributeError)


class Jwks:
    """Signing keys by key id. An unknown id fetches anew, at most every few seconds."""

    def __init__(self, url: str, issuer: str) -> None:
        self._url = url
        self._issuer = issuer
        self._keys: dict[str | None, Any] = {}
        self._fetched = self._tried = float("-inf")
        self._lock = asyncio.Lock()

    async def find(self, kid: str | None) -> Any | None:
        """The key with this id (without one: the only key), or None."""
        if self._known(kid) is None or time.monotonic() - self._fetched > KEEP_SECONDS:
            await self._refresh()
        return self._known(kid)

    def _known(self, kid: str | None) -> Any | None:
        if kid is None and len(self._keys) == 1:
            return next(iter(self._keys.values()))
        return self._keys.get(kid)

    async def _refresh(self) -> None:
        """Many who wait for it make one request; an issuer that is away is not asked by each."""
        async with self._lock:
            pause = RETRY_SECONDS if self._keys else RETRY_SECONDS_AT_FIRST
            if time.monotonic() - self._tried >= pause:
                await self._try()
        if not self._keys:
            raise Unavailable("The issuer of tokens does not answer; try again")

    async def _try(self) -> None:
        try:
            self._keys = usable(await self._fetch())
            self._fetched = time.monotonic()
        except (*_AWAY, *_NONSENSE) as error:
            log.warning("no keys from %s: %s", self._url or self._issuer, error)
        finally:
            self._tried = time.monotonic()

    async def _fetch(self) -> dict[str, Any]:
        async with aiohttp.ClientSession(timeout=TIMEOUT) as session:
            url = self._url or await self._discover(session)
            return await _get(session, url)

    async def _discover(self, session: aiohttp.ClientSession) -> str:
        base = self._issuer.rstrip("/")
        return str((await _get(session, f"{base}/.well-known/openid-configuration"))["jwks_uri"])


async def _get(session: aiohttp.ClientSession, url: str) -> dict[str, Any]:
    async with session.get(url, allow_redirects=False) as response:
        response.raise_for_status()
        body = orjson.loads(await _whole(response.content))
    if not isinstance(body, dict):
        raise ValueError("not a JSON object")
    return body


async def _whole(content: aiohttp.StreamReader) -> bytes:
    """All of a body, in however many pieces it arrives; a `ValueError` if it is too long."""
    body = bytearray()
    async for piece in content.iter_any():
        body += piece
        if len(body) > MOST_BYTES:
            raise ValueError(f"more than {MOST_BYTES} bytes")
    return bytes(body)


def usable(document: dict[str, Any]) -> dict[str | None, Any]:
    """The public keys that may verify signatures; secrets and encryption keys are left out."""
    found: dict[str | None, Any] = {}
    for jwk in document["keys"]:
        if jwk.get("kty") not in ("RSA", "EC", "OKP") or jwk.get("use", "sig") != "sig":
            continue
        if "verify" not in jwk.get("key_ops", ["verify"]):
            continue
        found[jwk.get("kid")] = import_key(jwk)
    return found
