"""`python -m tests.bench.programs.custody_api`: custody's API as one process, settings in KAWAL_*.

Prints `{"port", "token"}` when it answers. With `--no-store` the same routes, behind the same
middleware, take a command as accepted without a store: what the web costs by itself.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import orjson
import uvloop

from services.custody.bootstrap import build
from shared.eventstore import Appended, Request
from shared.runtime import Service
from shared.serving import listening, running
from shared.settings import Settings
from shared.telemetry import setup
from shared.testing.web import Issuer

ROLES = ("operator", "custodian")


class NoStore:
    """Accepts everything and keeps nothing."""

    async def handle(self, request: Request) -> Appended:
        return Appended(1, 1, b"{}", False)

    async def handle_many(self, requests: Sequence[Request]) -> list[Appended]:
        return [await self.handle(request) for request in requests]


@asynccontextmanager
async def answering(service: Service, *, store: bool) -> AsyncIterator[None]:
    if store:
        async with running(service, {"api"}):
            yield
    else:
        service.handler = NoStore()  # type: ignore[assignment]
        async with listening(service, []):
            yield


async def main(*, store: bool) -> None:
    issuer = Issuer()
    settings = Settings(service="custody", port=0, log_level="WARNING")
    setup("custody", settings)
    service = build(settings, issuer.authenticator())
    async with answering(service, store=store):
        token = issuer.token(ROLES, ["31"], agency="KPU")
        print(orjson.dumps({"port": service.port, "token": token}).decode(), flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(store="--no-store" not in sys.argv))
