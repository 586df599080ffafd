"""Events as one JSON array, which SQL takes apart set-wise (`jsonb_to_recordset`)."""

from collections.abc import Sequence

from shared.bus.message import Message


def rows(messages: Sequence[Message]) -> str:
    """The stored bodies, each with its `position` and the time `at` which it happened.

    No fact that is read this way has a field of either name.
    """
    return "[" + ",".join(map(_row, messages)) + "]"


def _row(message: Message) -> str:
    at = message.headers["ce-time"]
    return f'{{"position":{message.position},"at":"{at}",{message.data[1:].decode()}'
