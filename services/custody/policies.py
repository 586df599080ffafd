"""What follows by itself: packed boxes are registered, absent units are accounted for."""

from collections.abc import Sequence
from typing import ClassVar

import asyncpg
import orjson

from services.custody.domain.handovers import AccountAbsentUnits
from services.custody.domain.registering import NewUnit, RegisterUnits
from shared.bus.message import Message
from shared.contracts.base import decode
from shared.contracts.custody import UnitsAbsent
from shared.contracts.inventory import KitPacked, PackedBox
from shared.eventstore import Command
from shared.projection import Intent, Policy

CITY = len("31.71")


class RegisterPackedUnits(Policy):
    """The boxes of a packed kit begin their life in the custody of the city's KPU."""

    name: ClassVar[str] = "register-packed-units"
    sources: ClassVar[tuple[str, ...]] = ("inventory",)
    handles: ClassVar[frozenset[str]] = frozenset({KitPacked.type})
    issues: ClassVar[tuple[type[Command], ...]] = (RegisterUnits,)

    async def react(self, connection: asyncpg.Connection, message: Message) -> Sequence[Intent]:
        """Tried again if refused: the seal roll may be logged a moment later."""
        packed = decode(message.type, message.data)
        assert isinstance(packed, KitPacked)
        city = packed.region[:CITY]
        command = RegisterUnits(
            units=tuple(_unit(packed, box) for box in packed.boxes),
            place=packed.site,
            custodian=f"KPU-{city}",
            region=city,
        )
        return (Intent(command, retry=True),)


def _unit(packed: KitPacked, box: PackedBox) -> NewUnit:
    return NewUnit(
        unit=box.unit,
        unit_kind="recap-box" if box.contents == "REKAP" else "box",
        contents=box.contents,
        home=packed.region,
        tps=packed.tps,
        seal=box.seal,
    )


class AccountForAbsentUnits(Policy):
    """What a giver did not have is missing, unless it has turned up elsewhere."""

    name: ClassVar[str] = "account-for-absent-units"
    sources: ClassVar[tuple[str, ...]] = ("custody",)
    handles: ClassVar[frozenset[str]] = frozenset({UnitsAbsent.type})
    issues: ClassVar[tuple[type[Command], ...]] = (AccountAbsentUnits,)

    async def react(self, connection: asyncpg.Connection, message: Message) -> Sequence[Intent]:
        absent = orjson.loads(message.data)
        command = AccountAbsentUnits(
            consignment=absent["consignment"],
            tps=absent.get("tps"),
            leg=absent["leg"],
            giver=absent["giver"],
            units=tuple(absent["units"]),
        )
        return (Intent(command),)
