"""An agency's own client, as small as it can be: ask for messages, use them, acknowledge them.

Copy it as a start; it needs `nats-py` and the agency's URL (`kawal agency-url`), nothing of Kawal.
"""

import json
from collections.abc import AsyncIterator

import nats
from nats.aio.msg import Msg
from nats.errors import TimeoutError as NothingCame


async def messages(url: str, count: int, seconds: float) -> AsyncIterator[Msg]:
    """Up to `count` messages that come within `seconds`; each acknowledged once it was used."""
    client = await nats.connect(url, name="agency-example")
    try:
        inbox = client.new_inbox()
        answers = await client.subscribe(inbox)
        asked = {"batch": count, "expires": int(seconds * 1e9)}
        await client.publish("kawal.next", json.dumps(asked).encode(), reply=inbox)
        for _ in range(count):
            message = await answers.next_msg(timeout=seconds + 1)
            if "ce-id" not in (message.headers or {}):
                return  # the server says that there is no more
            yield message
            await message.ack()
        await client.flush()
    except NothingCame:
        return
    finally:
        await client.close()


async def listen(url: str, count: int, seconds: float) -> None:
    """Print what comes: type, subject, body."""
    async for message in messages(url, count, seconds):
        print(message.headers["ce-type"], message.headers["ce-subject"])
        print(" ", message.data.decode())
