"""What a service writes: read models (`Projection`) and process managers (`Policy`)."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal
from uuid import NAMESPACE_URL, UUID, uuid5

import asyncpg

from shared.bus.message import Message
from shared.eventstore import Command

POLICIES = uuid5(NAMESPACE_URL, "urn:kawal:policy")


class Projection(ABC):
    """A read model: disposable tables in a schema of its own, filled from its sources' events.

    Handlers of several sources commute across sources: only the order within one is given.
    Readers query `<name>.<table>`; a new `version` is built beside the old one and replaces it.
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1
    sources: ClassVar[tuple[str, ...]]
    handles: ClassVar[frozenset[str]]
    schema: ClassVar[Path]
    """SQL that creates the tables, with unqualified names."""

    def key(self, message: Message) -> str:
        """The entity whose later events wait when this one cannot be applied."""
        return message.stream

    @abstractmethod
    async def apply(self, connection: asyncpg.Connection, messages: Sequence[Message]) -> None:
        """Write the effect of `messages` (handled types of one source, by position), set-wise.

        Runs in the transaction of the checkpoint, with the tables on the search path. An exception
        undoes all of it; the engine then finds the event that causes it and parks that one only.
        """


class Fold(ABC):
    """What events make of a projection's tables, gathered in memory and written in one go.

    However a run of events is cut into folds that are written in order, the tables hold the same:
    a fold knows nothing of the rows that are there, so it says what changes of them.
    """

    @property
    @abstractmethod
    def full(self) -> bool:
        """Whether it holds about as much as a service can spare (some ten megabytes)."""

    @abstractmethod
    def add(self, messages: Sequence[Message]) -> None:
        """Take in messages as `Projection.apply` gets them. An exception ends this fold's life."""

    @abstractmethod
    async def write(self, connection: asyncpg.Connection, *, empty: bool) -> None:
        """Write all of it, as `Projection.apply` does; `empty` tables may be filled by COPY."""


class Folding(Projection):
    """A projection whose events can be folded without looking at its tables.

    A build then writes once for as many events as a fold has room for.
    """

    @abstractmethod
    def fold(self) -> Fold:
        """One that holds nothing."""

    async def apply(self, connection: asyncpg.Connection, messages: Sequence[Message]) -> None:
        fold = self.fold()
        fold.add(messages)
        await fold.write(connection, empty=False)


@dataclass(frozen=True, slots=True)
class Intent:
    """A command that a policy wants to be carried out, once.

    `suffix` tells apart several commands for one event. `retry`: a refusal may only mean that
    something else has to happen first, so try again for a while before accepting it.
    """

    command: Command
    suffix: str = ""
    retry: bool = False


class Policy(ABC):
    """Others' facts become our commands: decided with the checkpoint, carried out afterwards.

    The command's id is a function of policy, event and suffix, kept for ever: neither a repeated
    event nor a refilled bus makes the command happen twice.
    """

    name: ClassVar[str]
    sources: ClassVar[tuple[str, ...]]
    handles: ClassVar[frozenset[str]]
    issues: ClassVar[tuple[type[Command], ...]]
    """Every type of command that `react` may return."""
    starts: ClassVar[Literal["beginning", "now"]] = "beginning"
    """Where a policy that is new to a running system begins to read."""
    reads: ClassVar[tuple[str, ...]] = ()
    """Projections of this service that show an event before the policy reacts to it."""

    def key(self, message: Message) -> str:
        """The entity whose later events wait when this one cannot be handled."""
        return message.stream

    @abstractmethod
    async def react(self, connection: asyncpg.Connection, message: Message) -> Sequence[Intent]:
        """The commands that follow from this event; the connection is for reading."""

    @classmethod
    def command_id(cls, event_id: UUID, suffix: str = "") -> UUID:
        return uuid5(uuid5(POLICIES, cls.name), f"{event_id}{suffix}")
