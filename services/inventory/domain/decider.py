"""The decider of inventory: which rule decides a command, which fold keeps a stream's state."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from services.inventory.domain import (
    catalogue,
    deliveries,
    findings,
    packing,
    picking,
    regions,
    registration,
    replacements,
    rules,
    sites,
    stations,
    stock,
)
from services.inventory.domain.ids import kelurahan_of
from shared.contracts.base import Event
from shared.eventstore.command import Command

Decide = Callable[[Any, Mapping[str, Any], Any], Sequence[Event]]

DECISIONS: dict[type[Command], Decide] = {
    rules.SetRules: rules.set_rules,
    catalogue.DefineItem: catalogue.define_item,
    catalogue.RetireItem: catalogue.retire_item,
    regions.RegisterRegion: regions.register_region,
    registration.RegisterPollingStation: registration.register_polling_station,
    stations.PostponePolling: stations.postpone_polling,
    sites.ProposeSite: sites.propose_site,
    sites.SurveySite: sites.survey_site,
    sites.SendOwnerLetter: sites.send_owner_letter,
    sites.ConfirmSite: sites.confirm_site,
    sites.RejectSite: sites.reject_site,
    sites.ReplaceSite: sites.replace_site,
    sites.InspectSite: sites.inspect_site,
    deliveries.ReceiveDelivery: deliveries.receive_delivery,
    stock.SortStock: stock.sort_stock,
    stock.TransferStock: stock.transfer_stock,
    stock.ReportDamage: stock.report_damage,
    stock.DestroyStock: stock.destroy_stock,
    picking.DrawPicking: picking.draw_picking,
    packing.PackKit: packing.pack_kit,
    packing.PackRecap: packing.pack_recap,
    replacements.RequestReplacement: replacements.request_replacement,
    replacements.SupplyReplacement: replacements.supply_replacement,
    findings.ReportHazard: findings.report_hazard,
    findings.CloseFinding: findings.close_finding,
}

OF_ALL = (rules.SetRules, catalogue.DefineItem, catalogue.RetireItem)
"""What holds for the whole province, whichever region a command names."""

COMMANDS: tuple[type[Command], ...] = tuple(DECISIONS)

FOLDS: dict[str, tuple[Any, Callable[[Any, Any], Any]]] = {
    "rules": (None, rules.evolve),
    "catalogue": (catalogue.EMPTY, catalogue.evolve),
    "region": (None, regions.evolve),
    "tps": (stations.Station(), stations.evolve),
    "site": (sites.Site(), sites.evolve),
    "stock": (stock.Ledger(), stock.evolve),
    "picking": (picking.NOTHING, picking.evolve),
    "kit": (False, packing.evolve),
    "finding": (findings.Finding(), findings.evolve),
    "replacement": (replacements.Replacement(), replacements.evolve),
}
"""Kind of a stream (its name up to the first hyphen) -> state before any event, fold."""


class InventoryDecider:
    """States are immutable values, so one initial value serves every stream of its kind."""

    def initial(self, stream: str) -> Any:
        return FOLDS[stream.partition("-")[0]][0]

    def evolve(self, state: Any, event: Event) -> Any:
        return FOLDS[event.stream.partition("-")[0]][1](state, event)

    def decide(self, command: Command, states: Mapping[str, Any], context: Any) -> Sequence[Event]:
        return DECISIONS[type(command)](command, states, context)

    def regions(self, command: Command, states: Mapping[str, Any]) -> Iterable[str]:
        """Regions that the actor must cover: those named, and those of the sites and things named.

        A thing that does not exist yields none; the decision refuses it as not found.
        """
        named = [getattr(command, "region", ""), kelurahan_of(getattr(command, "tps", None) or "")]
        if isinstance(command, OF_ALL):
            named = [command.region[:2]]
        return [region for region in (*named, *_of_states(states)) if region]


def _of_states(states: Mapping[str, Any]) -> Iterable[str]:
    for state in states.values():
        match state:
            case sites.Site():
                yield state.region
            case findings.Finding(raised=raised) if raised:
                yield raised.region
            case replacements.Replacement(requested=requested) if requested:
                yield requested.region
