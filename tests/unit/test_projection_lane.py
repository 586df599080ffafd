"""A lane that waits for what goes ahead of it does not outwait the log."""

import asyncio
from types import SimpleNamespace
from uuid import uuid4

import pytest

from shared.bus.message import Message
from shared.projection.errors import OtherLog
from shared.projection.lane import Lane
from shared.projection.writer import Guard


def lane() -> Lane:
    consumer = SimpleNamespace(name="toy", kind="policy")
    return Lane(consumer, "custody", pool=None, replay=None, guard=Guard())


async def test_waiting_for_a_read_model_ends_when_the_log_is_replaced():
    """The read model is built from the new, shorter log: it never shows the old one's event."""
    policy, model = lane(), lane()
    old, new = uuid4(), uuid4()
    policy.behind = [model]
    policy.writer.checkpoint.log_id = old
    model.writer.checkpoint.log_id = new
    event = Message(7, "kawal.custody.31._._._.box.opened", b"{}", f"log_id: {old}\r\n".encode())
    waiting = asyncio.create_task(policy._see(event))
    await asyncio.sleep(0)
    policy.owner_is_at(3, new)
    with pytest.raises(OtherLog):
        await asyncio.wait_for(waiting, 10)
