"""A small domain on real contracts, to test the store with: boxes are registered and loaded."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, ClassVar
from uuid import UUID, uuid4

from shared.contracts.base import Event
from shared.contracts.custody import IncidentRaised, UnitLoaded, UnitRegistered, UnitUnloaded
from shared.errors import Refused
from shared.eventstore import (
    Append,
    Command,
    Context,
    Expected,
    Metadata,
    NewEvent,
    Request,
    Write,
    uuid7,
)

NOW = datetime(2024, 2, 13, 8, 0, tzinfo=UTC)
SENEN = "31.71.04"
METADATA = Metadata("person-1", "kpu", NOW)


class AlreadyKnown(Refused):
    code = "already-known"


class NotThere(Refused):
    code = "not-there"


class AlreadyLoaded(Refused):
    code = "already-loaded"


class SealBroken(Refused):
    code = "seal-broken"
    title = "The seal is broken"


@dataclass(frozen=True, slots=True)
class Box:
    known: bool = False
    consignment: str | None = None


class BoxCommand(Command):
    roles: ClassVar[frozenset[str]] = frozenset({"officer"})
    box: str

    def streams(self) -> tuple[str, ...]:
        return (f"unit-{self.box}",)


class RegisterBox(BoxCommand):
    name = "register-box"


class LoadBox(BoxCommand):
    name = "load-box"
    consignment: str

    def streams(self) -> tuple[str, ...]:
        return (f"unit-{self.box}", f"consignment-{self.consignment}")


class UnloadBox(BoxCommand):
    name = "unload-box"


class InspectBox(BoxCommand):
    """Refused, with the incident on record."""

    name = "inspect-box"

    def streams(self) -> tuple[str, ...]:
        return (f"unit-{self.box}", f"incident-seal-missing.{self.box}")


class BreakBox(BoxCommand):
    """A rule with a defect."""

    name = "break-box"


class Boxes:
    """Decides on boxes; counts what it is asked."""

    def __init__(self) -> None:
        self.decided = 0

    def initial(self, stream: str) -> Box:
        return Box()

    def evolve(self, state: Box, event: Event) -> Box:
        match event:
            case UnitLoaded():
                return replace(state, consignment=event.consignment)
            case UnitUnloaded():
                return replace(state, consignment=None)
        return replace(state, known=True)

    def regions(self, command: Command, states: Mapping[str, Any]) -> Iterable[str]:
        return (SENEN,)

    def decide(
        self, command: Command, states: Mapping[str, Box], context: Context
    ) -> Sequence[Event]:
        self.decided += 1
        box = states[command.streams()[0]]
        match command:
            case RegisterBox():
                if box.known:
                    raise AlreadyKnown(f"box {command.box} is registered")
                return [registered(command.box)]
            case LoadBox():
                if not box.known:
                    raise NotThere(f"no box {command.box}")
                if box.consignment:
                    raise AlreadyLoaded(f"on {box.consignment}", consignment=box.consignment)
                return [UnitLoaded(region=SENEN, unit=command.box, consignment=command.consignment)]
            case UnloadBox():
                if not box.consignment:
                    return []
                return [
                    UnitUnloaded(
                        region=SENEN, unit=command.box, consignment=box.consignment, reason="test"
                    )
                ]
            case InspectBox():
                raise SealBroken("no seal", records=[incident(command.box)], unit=command.box)
        raise ZeroDivisionError(command.name)


def registered(box: str) -> UnitRegistered:
    return UnitRegistered(
        region=SENEN,
        unit=box,
        unit_kind="box",
        contents="presiden",
        home=SENEN,
        place="gudang-senen",
        custodian="kpu-31.71",
    )


def incident(box: str) -> IncidentRaised:
    return IncidentRaised(
        region=SENEN,
        incident=f"seal-missing.{box}",
        incident_kind="seal-missing",
        unit=box,
        units=(box,),
        detail="no seal",
    )


def new_event(event: Event | None = None) -> NewEvent:
    event = event or registered("1")
    return NewEvent(uuid7(), event.type, event.encode(), event.region, event.regions)


def write(stream: str, expected: int = Expected.NONE, count: int = 1) -> Write:
    return Write(stream, expected, tuple(new_event() for _ in range(count)))


def append(
    *writes: Write,
    checks: Mapping[str, int] | None = None,
    command_id: UUID | None = None,
    fingerprint: bytes = b"content",
    result: bytes = b"{}",
) -> Append:
    return Append(command_id or uuid4(), fingerprint, writes, checks or {}, METADATA, result)


def request(command: Command, command_id: UUID | None = None, **context: Any) -> Request:
    given = {
        "now": NOW,
        "actor": "person-1",
        "agency": "kpu",
        "roles": frozenset({"officer"}),
        "jurisdiction": frozenset({"31.71"}),
    }
    return Request(
        command,
        command_id or uuid4(),
        command.model_dump_json().encode(),
        Context(**(given | context)),
    )
