"""The item catalogue, editable, three classes: one short stream, one version of it per need."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from services.inventory.domain.ids import Name
from shared.contracts.base import Event, RegionCode, Text
from shared.contracts.inventory import ItemDefined, ItemRetired
from shared.errors import NotFound
from shared.eventstore.command import Command

STREAM = "catalogue"
Catalogue = Mapping[str, ItemDefined]
EMPTY: Catalogue = MappingProxyType({})


class DefineItem(Command):
    """Add an item to the catalogue or change its definition."""

    name: ClassVar[str] = "define-item"
    roles: ClassVar[frozenset[str]] = frozenset({"operator"})

    region: RegionCode
    item: Name
    item_name: Text
    item_class: Literal[1, 2, 3]
    unit: Text
    per_tps: Annotated[int, Field(ge=0, le=10_000)]

    def streams(self) -> tuple[str, ...]:
        return (STREAM,)


class RetireItem(Command):
    """Take an item out of the catalogue; later needs no longer hold it."""

    name: ClassVar[str] = "retire-item"
    roles: ClassVar[frozenset[str]] = frozenset({"operator"})

    region: RegionCode
    item: Name
    reason: Text

    def streams(self) -> tuple[str, ...]:
        return (STREAM,)


def define_item(command: DefineItem, states: Mapping[str, Any], context: Any) -> Sequence[Event]:
    """The same definition once more is no news."""
    event = ItemDefined(
        region=command.region,
        item=command.item,
        name=command.item_name,
        item_class=command.item_class,
        unit=command.unit,
        per_tps=command.per_tps,
    )
    return () if states[STREAM].get(command.item) == event else (event,)


def retire_item(command: RetireItem, states: Mapping[str, Any], context: Any) -> Sequence[Event]:
    if command.item not in states[STREAM]:
        raise NotFound(f"No item {command.item} in the catalogue.")
    return (ItemRetired(region=command.region, item=command.item, reason=command.reason),)


def evolve(state: Catalogue, event: ItemDefined | ItemRetired) -> Catalogue:
    rest = {item: definition for item, definition in state.items() if item != event.item}
    return rest if isinstance(event, ItemRetired) else rest | {event.item: event}


def require(states: Mapping[str, Any], items: Iterable[str]) -> None:
    """Refuse items that the catalogue does not hold."""
    unknown = sorted(set(items) - states[STREAM].keys())
    if unknown:
        raise NotFound(f"Not in the catalogue: {', '.join(unknown)}.", items=unknown)
