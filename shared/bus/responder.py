"""All that an owner of events answers on NATS: replays, positions, commands."""

from typing import Any

from shared.bus.commands import NatsCommands, answer_commands
from shared.bus.replay import answer_replays
from shared.bus.requests import Broker, Connect, serve


class Responder:
    """`await Responder(store, "custody", "31", connect).run()` answers until cancelled.

    `connect` makes the connection that it closes at its end. Several processes share the requests.
    """

    def __init__(
        self,
        store: Any,
        service: str,
        cell: str,
        connect: Connect,
        commands: NatsCommands | None = None,
    ) -> None:
        self._broker = Broker(connect)
        answer_replays(self._broker, store, service, cell)
        if commands is not None:
            answer_commands(self._broker, commands)

    async def run(self) -> None:
        await serve(self._broker)
