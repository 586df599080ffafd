"""One try: a signed POST to a public address, within a time, following nothing."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Self

import aiohttp

from services.exchange.webhooks import signing
from services.exchange.webhooks.addresses import (
    CheckedResolver,
    Lookup,
    RefusedAddress,
    guarded,
    look_up,
)
from services.exchange.webhooks.message import CONTENT_TYPE
from services.exchange.webhooks.settings import WebhookSettings

MOST_RESPONSE_BYTES = 65_536
SLOW_DOWN = frozenset({429, 502, 503, 504})
GONE = 410
BEHIND = "kawal-behind"
"""Names the `webhook-id` of an earlier fact about the same subject that was given up."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a try: a status, or else a word on why there is none."""

    status: int | None
    error: str
    latency_ms: int
    retry_after: float | None = None

    @property
    def ok(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def slow_down(self) -> bool:
        return self.status in SLOW_DOWN


class Sender:
    """`async with Sender(settings) as sender:`; safe for many tasks."""

    def __init__(self, settings: WebhookSettings, lookup: Lookup = look_up) -> None:
        self._settings = settings
        self._lookup = lookup

    async def __aenter__(self) -> Self:
        loopback = self._settings.loopback
        connector = aiohttp.TCPConnector(
            resolver=CheckedResolver(self._lookup, loopback=loopback),
            socket_factory=guarded(loopback=loopback),
            use_dns_cache=False,
            limit=0,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=self._settings.timeout),
            auto_decompress=False,
            headers={"User-Agent": "Kawal-Webhooks/1", "Content-Type": CONTENT_TYPE},
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def send(
        self, url: str, secrets: Sequence[bytes], id: str, body: bytes, behind: str = ""
    ) -> Outcome:
        headers = signing.headers(id, int(time.time()), body, secrets)
        if behind:
            headers[BEHIND] = behind
        started = time.perf_counter()
        status, retry_after, error = None, None, ""
        try:
            async with self._session.post(
                url, data=body, headers=headers, allow_redirects=False
            ) as response:
                await _drain(response)
                status, retry_after = response.status, _retry_after(response)
        except (RefusedAddress, aiohttp.ClientError, OSError, ValueError) as failure:
            error = _word(failure)
        latency = int((time.perf_counter() - started) * 1_000)
        return Outcome(status, error, latency, retry_after)


async def _drain(response: aiohttp.ClientResponse) -> None:
    """Reads the body, so that the connection serves again; a long one is cut, and it too."""
    seen = 0
    async for chunk in response.content.iter_any():
        seen += len(chunk)
        if seen > MOST_RESPONSE_BYTES:
            response.close()
            return


def _retry_after(response: aiohttp.ClientResponse) -> float | None:
    """Seconds, from either form of the header."""
    text = response.headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (at - datetime.now(UTC)).total_seconds())


def _word(failure: Exception) -> str:
    """Not the failure's own text, which may tell of addresses inside."""
    match failure:
        case RefusedAddress() | aiohttp.InvalidURL():
            return "refused-address"
        case TimeoutError():
            return "timeout"
        case aiohttp.ClientSSLError():
            return "tls"
        case aiohttp.ClientConnectorDNSError():
            return "unknown-host"
        case aiohttp.ClientConnectorError():
            return "no-connection"
    return "broken-answer"
