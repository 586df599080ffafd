"""What holds for the whole province is the province's to change; quantities have bounds."""

import pytest
from pydantic import ValidationError

from services.inventory.domain.catalogue import DefineItem
from services.inventory.domain.decider import InventoryDecider
from services.inventory.domain.deliveries import DeliveryLine
from services.inventory.domain.rules import SetRules


def test_a_city_changes_neither_rules_nor_catalogue() -> None:
    item = DefineItem(
        region="31.71", item="tinta", item_name="Tinta", item_class=1, unit="botol", per_tps=2
    )
    for command in (item, SetRules(region="31.71")):
        assert list(InventoryDecider().regions(command, {})) == ["31"]


@pytest.mark.parametrize(
    "rules", [{"reserve_permille": 1001}, {"max_voters": 2**53 - 1}, {"recap_boxes": 2**31}]
)
def test_rules_from_which_no_needs_can_follow_are_refused(rules: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        SetRules(region="31", **rules)


def test_a_line_of_a_delivery_is_no_larger_than_can_be_summed_up() -> None:
    with pytest.raises(ValidationError):
        DeliveryLine(item="tinta", sent=2**53 - 1, good=2**53 - 1, damaged=0, short=0)
