"""Registration of a polling station, with the needs that follow from the rules."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from services.inventory.domain import catalogue, needs, picking, regions, rules, stations
from services.inventory.domain.errors import NeedsFrozen, TooManyVoters
from services.inventory.domain.ids import FIRST_SPECIAL, TpsId, kelurahan_of
from shared.contracts.base import Count, Event
from shared.contracts.inventory import PollingStationRegistered
from shared.eventstore.command import Command


class RegisterPollingStation(Command):
    """Register a polling station, or its new number of voters; its needs follow from the rules."""

    name: ClassVar[str] = "register-polling-station"
    roles: ClassVar[frozenset[str]] = frozenset({"operator"})

    tps: TpsId
    number: int = Field(ge=1, le=999)
    voters: Count
    special: bool = False
    source: Literal["apportioned", "imported", "official"]

    @model_validator(mode="after")
    def number_agrees(self) -> "RegisterPollingStation":
        if int(self.tps[-3:]) != self.number:
            raise ValueError("the number is not the one in the id")
        if self.special != (self.number >= FIRST_SPECIAL):
            raise ValueError(f"special stations, and only those, are numbered from {FIRST_SPECIAL}")
        return self

    def streams(self) -> tuple[str, ...]:
        kelurahan = kelurahan_of(self.tps)
        return (
            stations.stream(self.tps),
            rules.STREAM,
            catalogue.STREAM,
            regions.stream(kelurahan),
            picking.stream(kelurahan),
        )


def register_polling_station(
    command: RegisterPollingStation, states: Mapping[str, Any], context: Any
) -> Sequence[Event]:
    """Only what changed is news; nothing may change once the materials are drawn."""
    in_force = rules.require(states)
    if command.voters > in_force.max_voters:
        raise TooManyVoters(
            f"{command.tps} has {command.voters} voters; at most {in_force.max_voters} may be.",
            voters=command.voters,
            max_voters=in_force.max_voters,
        )
    kelurahan = kelurahan_of(command.tps)
    region = regions.require(states, kelurahan)
    station: stations.Station = states[stations.stream(command.tps)]
    wanted = (
        PollingStationRegistered(
            region=kelurahan,
            tps=command.tps,
            number=command.number,
            voters=command.voters,
            special=command.special,
            source=command.source,
        ),
        needs.calculate(command.tps, command.voters, in_force, states[catalogue.STREAM], region),
    )
    news = [event for event in wanted if stations.evolve(station, event) != station]
    if news and command.tps in states[picking.stream(kelurahan)]:
        raise NeedsFrozen(f"The materials of {command.tps} are drawn; its needs stay as they are.")
    return news
