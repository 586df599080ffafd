"""Upcasters: old events read as their newer types; the stored bytes never change."""

from collections.abc import Callable
from typing import Any

import orjson

from shared.contracts.base import Event, decode

Upcast = Callable[[dict[str, Any]], tuple[str, dict[str, Any]]]


class Upcasters:
    """Functions by old type; each gives a newer type and its content, until none is left."""

    def __init__(self) -> None:
        self._by_type: dict[str, Upcast] = {}

    def register(self, old_type: str, upcast: Upcast) -> None:
        """Read events of `old_type` through `upcast`."""
        if old_type in self._by_type:
            raise ValueError(f"{old_type} has an upcaster already")
        self._by_type[old_type] = upcast

    def upcast(self, type: str, content: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """The newest type of an event and its content in that type."""
        while (upcast := self._by_type.get(type)) is not None:
            type, content = upcast(content)
        return type, content

    def decode(self, type: str, data: bytes) -> Event:
        """The event from its stored bytes, in its newest type."""
        if type in self._by_type:
            type, content = self.upcast(type, orjson.loads(data))
            data = orjson.dumps(content)
        return decode(type, data)
