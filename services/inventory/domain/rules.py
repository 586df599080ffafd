"""Rules for needs: reserve, rounding, re-vote stock, ballot kinds, witnesses of a destruction."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from services.inventory.domain.errors import RulesMissing
from shared.contracts.base import Event, Id, RegionCode
from shared.contracts.inventory import BallotKind, RulesSet
from shared.eventstore.command import Command

STREAM = "rules"


class SetRules(Command):
    """Set how needs are computed; stations registered from now on follow it."""

    name: ClassVar[str] = "set-rules"
    roles: ClassVar[frozenset[str]] = frozenset({"operator"})

    region: RegionCode
    reserve_permille: Annotated[int, Field(ge=0, le=1000)] = 20
    rounding: Literal["up", "nearest", "down"] = "up"
    revote_ballots: Annotated[int, Field(ge=0, le=1_000_000)] = 1000
    ballot_kinds: tuple[BallotKind, ...] = ("PPWP", "DPR", "DPD", "DPRD_PROV")
    max_voters: Annotated[int, Field(ge=1, le=100_000)] = 300
    recap_boxes: Annotated[int, Field(ge=0, le=20)] = 2
    witnesses: tuple[Id, ...] = ("BAWASLU", "POL", "KEJA")

    def streams(self) -> tuple[str, ...]:
        return (STREAM,)


def set_rules(command: SetRules, states: Mapping[str, Any], context: Any) -> Sequence[Event]:
    """The same rules once more are no news."""
    event = RulesSet(**command.model_dump(exclude={"occurred_at"}))
    return () if states[STREAM] == event else (event,)


def evolve(state: RulesSet | None, event: RulesSet) -> RulesSet:
    return event


def require(states: Mapping[str, Any]) -> RulesSet:
    """The rules in force, or `RulesMissing`."""
    if states[STREAM] is None:
        raise RulesMissing("Set the rules before polling stations are registered.")
    return states[STREAM]
