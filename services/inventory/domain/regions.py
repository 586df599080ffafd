"""Regions with their electoral districts (dapil) per ballot kind."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from services.inventory.domain.ids import Variant
from shared.contracts.base import Event, RegionCode, Text
from shared.contracts.inventory import BallotKind, RegionRegistered
from shared.errors import NotFound
from shared.eventstore.command import Command

LEVELS = ("province", "city", "kecamatan", "kelurahan")


class RegisterRegion(Command):
    """Register a region, or its new name or electoral districts."""

    name: ClassVar[str] = "register-region"
    roles: ClassVar[frozenset[str]] = frozenset({"operator"})

    region: RegionCode
    region_name: Text
    level: Literal["province", "city", "kecamatan", "kelurahan"]
    dapil: dict[BallotKind, Variant] = Field(default_factory=dict)

    @model_validator(mode="after")
    def level_of_the_code(self) -> "RegisterRegion":
        if LEVELS[self.region.count(".")] != self.level:
            raise ValueError(f"{self.region} is not the code of a {self.level}")
        return self

    def streams(self) -> tuple[str, ...]:
        return (stream(self.region),)


def stream(region: str) -> str:
    return f"region-{region}"


def register_region(
    command: RegisterRegion, states: Mapping[str, Any], context: Any
) -> Sequence[Event]:
    """The same registration once more is no news."""
    event = RegionRegistered(
        region=command.region,
        name=command.region_name,
        level=command.level,
        dapil=command.dapil,
    )
    return () if states[stream(command.region)] == event else (event,)


def evolve(state: RegionRegistered | None, event: RegionRegistered) -> RegionRegistered:
    return event


def require(states: Mapping[str, Any], region: str) -> RegionRegistered:
    """The region's registration, or `NotFound`."""
    state = states[stream(region)]
    if state is None:
        raise NotFound(f"Region {region} is not registered.")
    return state
