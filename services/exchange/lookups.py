"""What decisions are told from outside their streams, looked up once for all of a request."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aiosql

from services.exchange.attachments import attached_site
from services.exchange.deadlines import steps
from services.exchange.domain.drafting import DraftLetter
from services.exchange.domain.endpoints import DescribeEndpoint
from services.exchange.domain.facts import Attachments, Facts, Kelurahan, Subscriber
from services.exchange.domain.notices import SendNotice
from services.exchange.webhooks.settings import WebhookSettings
from shared.eventstore import Command
from shared.runtime import Service

SQL = aiosql.from_path(Path(__file__).with_suffix(".sql"), "asyncpg", mandatory_parameters=False)


async def facts(service: Service, commands: Sequence[Command]) -> Facts:
    """Only what these commands need is looked up, once for all of them."""
    notices = any(isinstance(command, SendNotice) for command in commands)
    endpoints = any(isinstance(command, DescribeEndpoint) for command in commands)
    regions = {command.region for command in commands if isinstance(command, DraftLetter)}
    return Facts(
        steps=steps(),
        subscribers=await subscribers(service.pool) if notices else (),
        attachments=await attachments(service.pool, sorted(regions)) if regions else {},
        loopback=endpoints and WebhookSettings().loopback,
    )


async def subscribers(pool: Any) -> tuple[Subscriber, ...]:
    return tuple(
        [
            Subscriber(row["agency"], frozenset(row["jurisdiction"]), frozenset(row["topics"]))
            async for row in SQL.subscribers(pool)
        ]
    )


async def attachments(pool: Any, regions: list[str]) -> dict[str, Attachments]:
    sites, kelurahan = defaultdict(list), defaultdict(list)
    async for row in SQL.ready_sites(pool, regions=regions):
        sites[row["about"]].append(attached_site(row))
    async for row in SQL.kelurahan(pool, regions=regions):
        kelurahan[row["about"]].append(
            Kelurahan(row["region"], row["name"], row["stations"], row["boxes"])
        )
    return {about: Attachments(tuple(sites[about]), tuple(kelurahan[about])) for about in regions}
