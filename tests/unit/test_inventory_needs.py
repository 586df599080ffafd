"""Needs: ballots with the reserve per polling station, pieces per item, re-vote stock."""

import pytest
from inventory_facts import (
    BALLOT,
    BASICS,
    DAPIL,
    INK,
    KELURAHAN,
    REGION,
    RULES,
    TPS,
    drawn,
    needs,
    registered,
    station,
)
from pydantic import ValidationError

from services.inventory.domain import needs as calculation
from services.inventory.domain.apportion import evenly, largest_remainder
from services.inventory.domain.catalogue import DefineItem, RetireItem
from services.inventory.domain.decider import InventoryDecider
from services.inventory.domain.errors import (
    NeedsFrozen,
    NoDapil,
    RulesMissing,
    TooManyVoters,
    WrongState,
)
from services.inventory.domain.regions import RegisterRegion
from services.inventory.domain.registration import RegisterPollingStation
from services.inventory.domain.rules import SetRules
from services.inventory.domain.stations import PostponePolling
from shared.contracts.inventory import (
    ItemDefined,
    ItemRetired,
    PollingPostponed,
    RegionRegistered,
)
from shared.errors import NotFound
from shared.testing.scenario import given

INVENTORY = InventoryDecider()
REGISTER = RegisterPollingStation(tps=TPS, number=1, voters=270, source="official")


@pytest.mark.parametrize(
    ("voters", "rounding", "ballots"),
    [(270, "up", 276), (270, "nearest", 275), (270, "down", 275), (300, "up", 306), (0, "up", 0)],
)
def test_the_reserve_is_two_percent_of_each_station_rounded_as_the_rules_say(
    voters, rounding, ballots
):
    rules = RULES.model_copy(update={"rounding": rounding})
    assert calculation.ballots_for(voters, rules) == ballots


def test_a_registered_station_has_its_needs_at_once():
    given(*BASICS, by=INVENTORY).when(REGISTER).then(registered(), needs())


def test_registering_the_same_station_once_more_is_no_news():
    given(*BASICS, *station(), by=INVENTORY).when(REGISTER).then_nothing()


def test_new_rules_change_the_needs_of_a_station_that_is_registered_again():
    rules = RULES.model_copy(update={"reserve_permille": 25})
    past = (rules, INK, BALLOT, REGION, *station())
    given(*past, by=INVENTORY).when(REGISTER).then(needs(ballots=277))


def test_needs_are_frozen_once_the_materials_are_drawn():
    more = REGISTER.model_copy(update={"voters": 290})
    given(*BASICS, *station(), drawn(), by=INVENTORY).when(more).then(NeedsFrozen)


def test_a_station_without_rules_region_or_dapil_is_refused():
    given(REGION, by=INVENTORY).when(REGISTER).then(RulesMissing)
    given(RULES, by=INVENTORY).when(REGISTER).then(NotFound)
    partly = RegionRegistered(
        region=KELURAHAN, name="Gambir", level="kelurahan", dapil={"PPWP": "31"}
    )
    given(RULES, partly, by=INVENTORY).when(REGISTER).then(NoDapil)


def test_a_station_has_at_most_so_many_voters_as_the_rules_allow():
    crowded = REGISTER.model_copy(update={"voters": 301})
    given(*BASICS, by=INVENTORY).when(crowded).then(TooManyVoters)


@pytest.mark.parametrize(
    "fields",
    [
        {"number": 2},
        {"special": True},
        {"tps": f"{KELURAHAN}-901", "number": 901},
        {"tps": "31.71.01-001"},
        {"voters": -1},
    ],
)
def test_a_station_whose_number_does_not_agree_makes_no_sense(fields):
    with pytest.raises(ValidationError):
        RegisterPollingStation(**(REGISTER.model_dump() | fields))


def test_polling_is_postponed_once():
    postpone = PostponePolling(tps=TPS, reason="flood")
    event = PollingPostponed(region=KELURAHAN, tps=TPS, reason="flood")
    given(*station(), by=INVENTORY).when(postpone).then(event)
    given(*station(), event, by=INVENTORY).when(postpone).then(WrongState)
    given(by=INVENTORY).when(postpone).then(NotFound)


def test_rules_are_set_and_the_same_rules_are_no_news():
    command = SetRules(**RULES.model_dump())
    given(by=INVENTORY).when(command).then(RULES)
    given(RULES, by=INVENTORY).when(command).then_nothing()


def test_the_catalogue_is_editable():
    define = DefineItem(
        region="31", item="tinta", item_name="Tinta", item_class=1, unit="botol", per_tps=3
    )
    event = ItemDefined(
        region="31", item="tinta", name="Tinta", item_class=1, unit="botol", per_tps=3
    )
    given(INK, by=INVENTORY).when(define).then(event)
    given(INK, event, by=INVENTORY).when(define).then_nothing()


def test_a_retired_item_is_needed_no_longer_and_retires_once():
    retire = RetireItem(region="31", item="tinta", reason="not used")
    retired = ItemRetired(region="31", item="tinta", reason="not used")
    given(INK, by=INVENTORY).when(retire).then(retired)
    given(INK, retired, by=INVENTORY).when(retire).then(NotFound)
    [_, needed] = given(*BASICS, retired, by=INVENTORY).when(REGISTER).events
    assert needed.items == {}


def test_a_region_is_registered_with_its_districts_and_again_only_when_it_changes():
    command = RegisterRegion(region=KELURAHAN, region_name="Gambir", level="kelurahan", dapil=DAPIL)
    given(by=INVENTORY).when(command).then(REGION)
    given(REGION, by=INVENTORY).when(command).then_nothing()


def test_the_level_of_a_region_is_that_of_its_code():
    with pytest.raises(ValidationError):
        RegisterRegion(region="31.71", region_name="Jakarta Pusat", level="kecamatan")


def test_largest_remainder_shares_sum_to_the_total():
    assert largest_remainder(10, {"a": 1, "b": 1, "c": 1}) == {"a": 4, "b": 3, "c": 3}
    assert largest_remainder(7, {"a": 60, "b": 40}) == {"a": 4, "b": 3}
    assert largest_remainder(3, {"a": 0, "b": 0}) == {"a": 2, "b": 1}
    assert evenly(10, 4) == [3, 3, 2, 2]
    with pytest.raises(ValueError, match="nothing to share"):
        largest_remainder(1, {})


def test_the_operator_must_cover_the_region_of_the_station():
    states = given(*BASICS, by=INVENTORY).when(REGISTER).states
    assert list(INVENTORY.regions(REGISTER, states)) == [KELURAHAN]
