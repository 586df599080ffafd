"""Picking: the materials of a kelurahan's kits leave the stock of a site in one step."""

from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar

from pydantic import Field, model_validator

from services.inventory.domain import needs, sites, stations, stock
from services.inventory.domain.errors import AlreadyDrawn, LinesMismatch
from services.inventory.domain.ids import KelurahanCode, Name, TpsId, Variant, kelurahan_of
from shared.contracts.base import Event, Positive, Value
from shared.contracts.inventory import PickingDrawn, StockIssued, ledger
from shared.eventstore.command import Command

Drawn = Mapping[str, str]
"""Polling station -> site whose stock its materials were drawn from."""

NOTHING: Drawn = MappingProxyType({})


class PickingLine(Value):
    item: Name
    variant: Variant = ""
    quantity: Positive


class DrawPicking(Command):
    """Draw the materials of `stations` of one kelurahan; the lines must equal their needs."""

    name: ClassVar[str] = "draw-picking"
    roles: ClassVar[frozenset[str]] = frozenset({"operator"})

    region: KelurahanCode
    site: Name
    stations: tuple[TpsId, ...] = Field(min_length=1, max_length=999)
    lines: tuple[PickingLine, ...] = Field(min_length=1, max_length=999)

    @model_validator(mode="after")
    def consistent(self) -> "DrawPicking":
        if len(set(self.stations)) != len(self.stations):
            raise ValueError("a polling station is named twice")
        if any(kelurahan_of(tps) != self.region for tps in self.stations):
            raise ValueError(f"a polling station is not in {self.region}")
        if len({(line.item, line.variant) for line in self.lines}) != len(self.lines):
            raise ValueError("an item and variant is named twice")
        return self

    def streams(self) -> tuple[str, ...]:
        return (
            stream(self.region),
            sites.stream(self.site),
            *(stations.stream(tps) for tps in self.stations),
            *(ledger(self.site, line.item, line.variant) for line in self.lines),
        )


def stream(kelurahan: str) -> str:
    return f"picking-{kelurahan}"


def draw_picking(command: DrawPicking, states: Mapping[str, Any], context: Any) -> Sequence[Event]:
    site = sites.ready(states, command.site)
    drawn = states[stream(command.region)]
    again = [tps for tps in command.stations if tps in drawn]
    if again:
        raise AlreadyDrawn(f"The materials of {again[0]} are drawn already.", stations=again)
    _refuse_other_lines(command, wanted(command.stations, states))
    for line in command.lines:
        stock.available(states, command.site, line.item, line.variant, line.quantity)
    picking = PickingDrawn(region=command.region, site=command.site, stations=command.stations)
    return [picking, *(_issued(command, line, site.region) for line in command.lines)]


def wanted(tps_ids: Sequence[str], states: Mapping[str, Any]) -> Counter[tuple[str, str]]:
    """The summed needs of the stations, by item and variant."""
    total: Counter[tuple[str, str]] = Counter()
    for tps in tps_ids:
        total.update(needs.lines(stations.require(states, tps).needs))
    return total


def _refuse_other_lines(command: DrawPicking, needed: Counter[tuple[str, str]]) -> None:
    given = {(line.item, line.variant): line.quantity for line in command.lines}
    needed = {line: quantity for line, quantity in needed.items() if quantity}
    if given == needed:
        return
    differences = [
        {"item": item, "variant": variant, "given": given.get(key, 0), "needed": needed.get(key, 0)}
        for key in sorted(given.keys() | needed.keys())
        if given.get(key, 0) != needed.get(key, 0)
        for item, variant in (key,)
    ]
    raise LinesMismatch(
        f"{len(differences)} lines differ from the needs of {len(command.stations)} stations.",
        differences=differences,
    )


def _issued(command: DrawPicking, line: PickingLine, region: str) -> StockIssued:
    return StockIssued(
        region=region,
        site=command.site,
        item=line.item,
        variant=line.variant,
        quantity=line.quantity,
        reason="packing",
        purpose=f"picking-{command.region}",
    )


def evolve(state: Drawn, event: PickingDrawn) -> Drawn:
    return {**state, **dict.fromkeys(event.stations, event.site)}
