"""`python -m tests.bench.programs.post PORT SECONDS CONNECTIONS ITEMS [--lines]`: a cheap client.

The token is in KAWAL_TOKEN. Each connection posts a command as soon as the one before it is
answered, or with ITEMS > 1 that many at a time, as a list or as lines. Prints rate (items/s), the
latencies of a request, and how many items were accepted; anything but an acceptance ends it.
"""

import asyncio
import os
import sys
from itertools import count
from secrets import token_hex
from time import perf_counter

import orjson
import uvloop

HEAD = (
    "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
    "Content-Type: {media}\r\n"
)
ROLL = '"roll":"{run}{number:09}","first":0,"last":999,"region":"31.71.01"'


class Failed(Exception):
    """An answer that was no acceptance."""


class Load:
    """What is sent, and what has come of it."""

    def __init__(self, items: int, token: str, *, lines: bool) -> None:
        self.items = items
        self._lines = lines
        self.accepted = 0
        self.took: list[float] = []
        path = "/commands" if items > 1 else "/commands/log-seal-roll"
        media = "application/x-ndjson" if lines else "application/json"
        self._head = HEAD.format(path=path, token=token, media=media)
        self._run = token_hex(4)
        self._numbers = count()

    def request(self) -> bytes:
        number = next(self._numbers)
        body = self._many() if self.items > 1 else f"{{{self._roll()}}}"
        own = f"Idempotency-Key: {self._run}-{number}\r\nContent-Length: {len(body)}\r\n\r\n"
        return (self._head + own + body).encode()

    def _roll(self) -> str:
        return ROLL.format(run=self._run, number=next(self._numbers))

    def _many(self) -> str:
        each = (f'{{"name":"log-seal-roll",{self._roll()}}}' for _ in range(self.items))
        return "\n".join(each) if self._lines else f'{{"commands":[{",".join(each)}]}}'

    def take(self, status: bytes, body: bytearray) -> None:
        if self.items == 1:
            accepted = int(status == b"201")
        else:
            accepted = body.count(b'"status":201') if status == b"200" else 0
        if accepted != self.items:
            raise Failed(f"{status.decode()} {bytes(body[:300]).decode()}")
        self.accepted += accepted


class Connection(asyncio.Protocol):
    """One request after the other until `until`; `done` is set then."""

    def __init__(self, load: Load, until: float) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._load, self._until = load, until
        self._received = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]
        self._send()

    def _send(self) -> None:
        self._sent = perf_counter()
        self._transport.write(self._load.request())

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found or not _whole(head, body):
            return
        self._received = bytearray()
        try:
            self._load.take(bytes(head[9:12]), body)
        except Failed as failed:
            self.done.set_exception(failed)
            return
        now = perf_counter()
        self._load.took.append(now - self._sent)
        if now < self._until:
            self._send()
        else:
            self.done.set_result(None)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(Failed(f"the connection was lost: {error}"))


def _whole(head: bytearray, body: bytearray) -> bool:
    head = head.lower()
    if b"transfer-encoding: chunked" in head:
        return body.endswith(b"0\r\n\r\n")
    at = head.index(b"content-length:") + 15
    return len(body) >= int(head[at:].partition(b"\r\n")[0])


async def run(
    port: int, seconds: float, connections: int, items: int, *, lines: bool
) -> dict[str, float]:
    load = Load(items, os.environ["KAWAL_TOKEN"], lines=lines)
    loop, started = asyncio.get_running_loop(), perf_counter()
    made = [
        await loop.create_connection(lambda: Connection(load, started + seconds), "127.0.0.1", port)
        for _ in range(connections)
    ]
    await asyncio.gather(*(protocol.done for _, protocol in made))
    elapsed = perf_counter() - started
    took = sorted(load.took)
    return {
        "rate": load.accepted / elapsed,
        "p50_ms": took[len(took) // 2] * 1000,
        "p99_ms": took[len(took) * 99 // 100] * 1000,
        "accepted": load.accepted,
    }


def main() -> None:
    port, seconds, connections, items = sys.argv[1:5]
    work = run(int(port), float(seconds), int(connections), int(items), lines="--lines" in sys.argv)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            print(orjson.dumps(runner.run(work)).decode())
        except Failed as failed:
            sys.exit(str(failed))


if __name__ == "__main__":
    main()
