"""Secrets: made here, shown once, and kept in no event."""

from uuid import NAMESPACE_URL, uuid5

from services.exchange.domain.endpoints import RotateSecret
from services.exchange.webhooks import signing
from services.exchange.webhooks.queries import SQL
from services.exchange.webhooks.settings import WebhookSettings
from shared.clock.scheduler import fingerprint
from shared.errors import Refused
from shared.eventstore import Request
from shared.runtime import Service
from shared.telemetry import traceparent
from shared.web.principal import Principal

_IDS = uuid5(NAMESPACE_URL, "urn:kawal:rotate-secret")


class SecretShown(Refused):
    code = "secret-shown"
    title = "A secret is shown once: make the next one"


async def rotate(service: Service, who: Principal, endpoint: str, key: str) -> tuple[str, int]:
    """The endpoint's next secret and the position of the fact. Without the fact, no secret."""
    overlap = WebhookSettings().overlap
    command = RotateSecret(endpoint=endpoint, overlap_seconds=overlap)
    context = await service.context(who, (command,))
    command_id = uuid5(_IDS, f"{who.actor}\n{key}")
    parent = traceparent()
    request = Request(command, command_id, fingerprint(command), context, traceparent=parent)
    secret = signing.new_secret()
    async with service.pool.acquire() as connection, connection.transaction():
        await SQL.one_at_a_time(connection)
        await SQL.add_secret(connection, endpoint=endpoint, secret=secret, overlap=overlap)
        appended = await service.handler.handle(request)
        if appended.replayed:
            raise SecretShown(f"With this key a secret of {endpoint} was made before.")
    return signing.shown(secret), appended.last
