"""The stock ledger: every in and out with its reason, per site, item and variant, never negative.

`good` and `damaged` pieces are on hand; `short` ones never were.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import StringConstraints, model_validator

from services.inventory.domain import findings, rules, sites
from services.inventory.domain.errors import InsufficientStock, WitnessesMissing
from services.inventory.domain.ids import Name, Variant
from shared.contracts.base import Count, Event, Id, Positive, Text
from shared.contracts.inventory import (
    StockDamaged,
    StockDestroyed,
    StockIssued,
    StockReceived,
    StockSorted,
    ledger,
)
from shared.errors import Invalid
from shared.eventstore.command import Command


@dataclass(frozen=True, slots=True)
class Ledger:
    good: int = 0
    damaged: int = 0


class StockCommand(Command):
    roles: ClassVar[frozenset[str]] = frozenset({"operator"})

    site: Name
    item: Name
    variant: Variant = ""

    @property
    def ledger(self) -> str:
        return ledger(self.site, self.item, self.variant)

    def streams(self) -> tuple[str, ...]:
        return (sites.stream(self.site), self.ledger)


class SortStock(StockCommand):
    """Sort and fold: of `sorted` pieces, `damaged` turned out damaged and `short` missing."""

    name: ClassVar[str] = "sort-stock"

    unit: Name | None = None
    sorted: Count
    damaged: Count
    short: Count

    @model_validator(mode="after")
    def within_sorted(self) -> "SortStock":
        if self.damaged + self.short > self.sorted:
            raise ValueError("more damaged and short than were sorted")
        return self

    def streams(self) -> tuple[str, ...]:
        finding = findings.stream("sorting-variance", self.unit or self.site)
        return (*super().streams(), finding)


class TransferStock(StockCommand):
    """Rebalance: move good pieces from `site` to `to_site`."""

    name: ClassVar[str] = "transfer-stock"

    to_site: Name
    quantity: Positive
    document: Text

    def streams(self) -> tuple[str, ...]:
        to = ledger(self.to_site, self.item, self.variant)
        return tuple(dict.fromkeys((*super().streams(), sites.stream(self.to_site), to)))


class ReportDamage(StockCommand):
    """Good pieces on hand are now damaged."""

    name: ClassVar[str] = "report-damage"

    quantity: Positive
    note: Text


class DestroyStock(StockCommand):
    """Destroy damaged and surplus pieces: a numbered record and its witnesses (agency ids)."""

    name: ClassVar[str] = "destroy-stock"

    good: Count = 0
    damaged: Count = 0
    record_number: Annotated[
        str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True)
    ]
    witnesses: tuple[Id, ...]

    @model_validator(mode="after")
    def something(self) -> "DestroyStock":
        if not self.good + self.damaged:
            raise ValueError("nothing to destroy")
        return self

    def streams(self) -> tuple[str, ...]:
        return (*super().streams(), rules.STREAM)


def sort_stock(command: SortStock, states: Mapping[str, Any], context: Any) -> Sequence[Event]:
    region = sites.ready(states, command.site).region
    available(states, command.site, command.item, command.variant, command.sorted)
    event = StockSorted(
        region=region,
        site=command.site,
        item=command.item,
        variant=command.variant,
        sorted=command.sorted,
        damaged=command.damaged,
        short=command.short,
    )
    if not command.short:
        return (event,)
    detail = f"{command.short} of {command.sorted} {command.item} {command.variant} short"
    finding = findings.raised(
        states, "sorting-variance", region, detail, unit=command.unit, site=command.site
    )
    return (event, *finding)


def transfer_stock(
    command: TransferStock, states: Mapping[str, Any], context: Any
) -> Sequence[Event]:
    if command.to_site == command.site:
        raise Invalid("Stock cannot be moved to the place where it is.")
    origin, target = sites.ready(states, command.site), sites.ready(states, command.to_site)
    available(states, command.site, command.item, command.variant, command.quantity)
    received = StockReceived(
        region=target.region,
        site=command.to_site,
        item=command.item,
        variant=command.variant,
        document=command.document,
        sent=command.quantity,
        good=command.quantity,
        damaged=0,
        short=0,
        reason="rebalance",
    )
    return (_issued(origin.region, command), received)


def _issued(region: str, command: TransferStock) -> StockIssued:
    return StockIssued(
        region=region,
        site=command.site,
        item=command.item,
        variant=command.variant,
        quantity=command.quantity,
        reason="rebalance",
        purpose=command.document,
    )


def report_damage(
    command: ReportDamage, states: Mapping[str, Any], context: Any
) -> Sequence[Event]:
    site = sites.require(states, command.site)
    available(states, command.site, command.item, command.variant, command.quantity)
    return (StockDamaged(region=site.region, **command.model_dump(exclude={"occurred_at"})),)


def destroy_stock(
    command: DestroyStock, states: Mapping[str, Any], context: Any
) -> Sequence[Event]:
    site = sites.require(states, command.site)
    absent = missing_witnesses(command.witnesses, rules.require(states).witnesses)
    if absent:
        raise WitnessesMissing(f"No witness of {', '.join(absent)}.", missing=absent)
    available(states, command.site, command.item, command.variant, command.good)
    if states[command.ledger].damaged < command.damaged:
        raise InsufficientStock(f"Fewer than {command.damaged} damaged pieces are on hand.")
    return (StockDestroyed(region=site.region, **command.model_dump(exclude={"occurred_at"})),)


def missing_witnesses(witnesses: Iterable[str], required: Iterable[str]) -> list[str]:
    """Beginnings of agency ids that no witness has."""
    present = tuple(witnesses)
    return [start for start in required if not any(w.startswith(start) for w in present)]


def available(states: Mapping[str, Any], site: str, item: str, variant: str, quantity: int) -> None:
    """Refuse what would make the ledger negative."""
    on_hand = states[ledger(site, item, variant)].good
    if on_hand < quantity:
        named = f"{item} {variant}".strip()
        raise InsufficientStock(
            f"{site} holds {on_hand} {named}, {quantity} are needed.",
            site=site,
            item=item,
            variant=variant,
            available=on_hand,
            wanted=quantity,
        )


def evolve(state: Ledger, event: Event) -> Ledger:
    match event:
        case StockReceived():
            return Ledger(state.good + event.good, state.damaged + event.damaged)
        case StockSorted():
            good = state.good - event.damaged - event.short
            return Ledger(good, state.damaged + event.damaged)
        case StockIssued():
            return Ledger(state.good - event.quantity, state.damaged)
        case StockDamaged():
            return Ledger(state.good - event.quantity, state.damaged + event.quantity)
        case StockDestroyed():
            return Ledger(state.good - event.good, state.damaged - event.damaged)
    return state
