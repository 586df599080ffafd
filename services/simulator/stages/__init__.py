"""The operation, stage by stage, in the order of the days."""

from collections.abc import Awaitable, Callable

from services.simulator.field import Field
from services.simulator.stages import (
    delivery,
    distribution,
    letters,
    packing,
    returning,
    sites,
)

Stage = Callable[[Field], Awaitable[None]]

STAGES: tuple[Stage, ...] = (
    sites.propose,
    sites.confirm_unchanged,
    letters.ask_for_security,
    delivery.print_and_deliver,
    delivery.sort_and_fold,
    sites.settle_waiting,
    letters.supplement,
    packing.pack,
    distribution.plan,
    distribution.to_district,
    distribution.to_village,
    distribution.to_crews,
    returning.vote_and_seal,
    returning.bring_back,
)
