"""How far every store, stream and read model is, as the services themselves say."""

import asyncio
from collections.abc import Mapping
from typing import Any

import aiohttp

REFRESH_SECONDS = 1.0


class Peers:
    """Asks the other services for their positions; what does not answer is shown as unknown."""

    def __init__(self, urls: Mapping[str, str]) -> None:
        self._urls = urls
        self._positions: dict[str, dict[str, Any]] = {}

    async def follow(self) -> None:
        """Refreshes for ever."""
        timeout = aiohttp.ClientTimeout(total=2 * REFRESH_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            while True:
                await asyncio.gather(*(self._ask(session, name) for name in self._urls))
                await asyncio.sleep(REFRESH_SECONDS)

    async def _ask(self, session: aiohttp.ClientSession, name: str) -> None:
        try:
            async with session.get(f"{self._urls[name]}/positions") as answer:
                answer.raise_for_status()
                self._positions[name] = await answer.json()
        except (aiohttp.ClientError, TimeoutError):
            self._positions.pop(name, None)

    def lag(self, own: Mapping[str, Any]) -> list[dict[str, Any]]:
        """A row for every stream and projection: `{projection, source, position, store, lag}`."""
        stores = {name: at["store"] for name, at in self._positions.items()}
        rows = [
            _row(f"{name}/stream", name, at["stream"], at["store"])
            for name, at in sorted(self._positions.items())
        ]
        for answer in (*self._positions.values(), own):
            for projection, sources in sorted(answer["projections"].items()):
                for source, position in sorted(sources.items()):
                    rows.append(_row(projection, source, position, stores.get(source)))
        rows += [_row(name, name, None, None) for name in self._urls if name not in stores]
        return rows


def _row(projection: str, source: str, position: int | None, store: int | None) -> dict[str, Any]:
    known = position is not None and store is not None
    return {
        "projection": projection,
        "source": source,
        "position": position,
        "store": store,
        "lag": max(0, store - position) if known else None,
    }
