"""Cancellation that cannot be lost.

On Python 3.11 `asyncio.wait_for` (which nats-py uses) swallows a cancellation that arrives together
with its result; a loop that must end when cancelled asks here each time round.
"""

import asyncio


def heed() -> None:
    """Raise `CancelledError` if the present task has been told to end."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
