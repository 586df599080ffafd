"""A service's app on a real port of this process, and an issuer whose tokens it believes."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import uvicorn
from joserfc import jwt
from joserfc.jwk import OKPKey
from starlette.types import ASGIApp

from shared.web.auth import Authenticator
from shared.web.jwks import Jwks, usable

ISSUER = "http://issuer.test"
AUDIENCE = "kawal"


class KnownKeys(Jwks):
    """The issuer's keys without an issuer to fetch them from."""

    def __init__(self, document: dict[str, Any]) -> None:
        super().__init__("", ISSUER)
        self._keys = usable(document)

    async def find(self, kid: str | None) -> Any | None:
        return self._known(kid)


@dataclass
class Issuer:
    """Signs tokens; `authenticator()` is what accepts them."""

    key: OKPKey = field(
        default_factory=lambda: OKPKey.generate_key("Ed25519", {"use": "sig"}, auto_kid=True)
    )

    def authenticator(self) -> Authenticator:
        document = {"keys": [self.key.as_dict(private=False)]}
        return Authenticator(ISSUER, AUDIENCE, KnownKeys(document))

    def token(
        self,
        roles: Sequence[str] = (),
        regions: Sequence[str] = ("31",),
        *,
        person: str = "p-1",
        agency: str = "kpu-31",
        header: Mapping[str, Any] | None = None,
        **claims: Any,
    ) -> str:
        """A token for an hour; `claims` replace or (None) remove what it would say."""
        now = int(time.time())
        said = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": person,
            "agency": agency,
            "roles": list(roles),
            "regions": list(regions),
            "iat": now,
            "exp": now + 3600,
        } | claims
        said = {name: value for name, value in said.items() if value is not None}
        head = {"alg": "Ed25519", "kid": self.key.kid} | dict(header or {})
        return jwt.encode(head, said, self.key, algorithms=["Ed25519", "EdDSA"])

    def bearer(self, roles: Sequence[str] = (), regions: Sequence[str] = ("31",), **claims: Any):
        """The header that carries such a token."""
        return {"Authorization": f"Bearer {self.token(roles, regions, **claims)}"}


@asynccontextmanager
async def running(app: ASGIApp) -> AsyncIterator[aiohttp.ClientSession]:
    """A client of the app, which answers on a free port of loopback for so long."""
    config = uvicorn.Config(app, "127.0.0.1", 0, log_config=None, access_log=False, lifespan="off")
    server = uvicorn.Server(config)
    server.capture_signals = nullcontext  # type: ignore[method-assign]
    task = asyncio.create_task(server.serve())
    while not server.started:
        if task.done():
            task.result()
        await asyncio.sleep(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as client:
        yield client
    server.should_exit = True
    await task
