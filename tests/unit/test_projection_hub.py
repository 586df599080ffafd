"""A service acts on its own stream only as far as its log goes."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from types import SimpleNamespace

import pytest

from shared.bus.message import Message
from shared.projection.hub import Hub
from shared.projection.inbox import Inbox


async def stream(source: str, after: int) -> AsyncIterator[Sequence[Message]]:
    """Five events, the last two of which a restored log has lost."""
    for positions in ((1, 2, 3), (4, 5)):
        yield [Message(position, "", b"{}", b"") for position in positions]
    await asyncio.Event().wait()


class Owner:
    async def position(self, source: str) -> SimpleNamespace:
        return SimpleNamespace(position=3, log_id=None)


@pytest.mark.parametrize(("own", "seen"), [(True, [1, 2, 3]), (False, [1, 2, 3, 4, 5])])
async def test_what_a_restored_log_has_lost_is_not_acted_on(own: bool, seen: list[int]) -> None:
    inbox = Inbox()
    inbox.open = True
    lane = SimpleNamespace(
        inbox=inbox, loaded=True, position=0, owner_is_at=lambda position, log_id: None
    )
    hub = asyncio.create_task(Hub("custody", [lane], stream, Owner(), own=own).run())
    found: list[int] = []
    while batch := await inbox.take(100, 0.5):
        found += [message.position for message in batch]
    hub.cancel()
    assert sorted(set(found)) == seen
