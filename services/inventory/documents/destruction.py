"""What the record of a destruction says, from the events that bear its number; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.contracts.base import day
from shared.contracts.inventory import ItemDefined, SiteProposed, StockDestroyed
from shared.documents import indonesian


@dataclass(frozen=True, slots=True)
class Destruction:
    """All that was destroyed at a site under one number, in the order of the log."""

    site: SiteProposed
    at: datetime
    destroyed: Sequence[StockDestroyed]
    items: Mapping[str, ItemDefined]
    """The catalogue as it was."""


def record(found: Destruction, layout: Mapping[str, Any]) -> dict[str, Any]:
    """What the template is given: a row for each kind, their sum, and who witnessed it."""
    rows = found.destroyed
    witnesses = dict.fromkeys(each for row in rows for each in row.witnesses)
    return {
        "letterhead": layout["letterhead"],
        "day": indonesian.day_of(day(found.at)),
        "clock": indonesian.clock(found.at),
        "site": found.site.name,
        "address": found.site.address,
        "rows": [_row(each, found.items, layout) for each in rows],
        "total": _counts(sum(row.good for row in rows), sum(row.damaged for row in rows)),
        "office": layout["destruction"]["office"],
        "witnesses": [_institution(each, layout) for each in witnesses],
    }


def _row(
    row: StockDestroyed, items: Mapping[str, ItemDefined], layout: Mapping[str, Any]
) -> dict[str, str]:
    kind, _, district = row.variant.partition(".")
    item = items.get(row.item)
    return {
        "item": item.name if item else row.item,
        "kind": " ".join(filter(None, (layout["kinds"].get(kind, kind), district))),
        "unit": item.unit if item else "",
        **_counts(row.good, row.damaged),
    }


def _counts(good: int, damaged: int) -> dict[str, str]:
    counts = {"good": good, "damaged": damaged, "sum": good + damaged}
    return {name: indonesian.grouped(number) for name, number in counts.items()}


def _institution(agency: str, layout: Mapping[str, Any]) -> str:
    """What the agency belongs to, by the beginning of its id, and the id itself."""
    names = layout["destruction"]["witnesses"]
    name = next((name for start, name in names.items() if agency.startswith(start)), "")
    return f"{name} ({agency})" if name else agency
