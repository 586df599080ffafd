"""The stock ledger: in and out with a reason, conditions, variances, never negative."""

import pytest
from inventory_facts import INK, RULES, WAREHOUSE, proposed, ready_site, received
from pydantic import ValidationError

from services.inventory.domain.decider import InventoryDecider
from services.inventory.domain.deliveries import DeliveryLine, ReceiveDelivery
from services.inventory.domain.errors import (
    AlreadyExists,
    InsufficientStock,
    SiteNotReady,
    WitnessesMissing,
    WrongState,
)
from services.inventory.domain.replacements import RequestReplacement, SupplyReplacement
from services.inventory.domain.stock import (
    DestroyStock,
    Ledger,
    ReportDamage,
    SortStock,
    TransferStock,
)
from shared.contracts.inventory import (
    FindingRaised,
    ReplacementRequested,
    ReplacementSupplied,
    StockDamaged,
    StockDestroyed,
    StockIssued,
    StockReceived,
    StockSorted,
)
from shared.errors import Invalid, NotFound
from shared.testing.scenario import given

INVENTORY = InventoryDecider()
INK_HERE = {"site": WAREHOUSE, "item": "tinta"}
WITNESSES = ("BAWASLU", "POLDA-METRO-JAYA", "KEJATI-DKI")


def deliver(*lines: DeliveryLine) -> ReceiveDelivery:
    return ReceiveDelivery(document="SJ-1", site=WAREHOUSE, lines=lines)


def line(sent, good, damaged=0, short=0, unit=None) -> DeliveryLine:
    return DeliveryLine(item="tinta", unit=unit, sent=sent, good=good, damaged=damaged, short=short)


def test_a_delivery_as_noted_enters_the_ledger_without_a_finding():
    given(INK, *ready_site(), by=INVENTORY).when(deliver(line(100, 100))).then(received(100))


@pytest.mark.parametrize(
    ("good", "damaged", "short"), [(90, 10, 0), (90, 0, 10), (90, 0, 0), (110, 0, 0)]
)
def test_a_koli_that_differs_from_the_note_is_a_finding(good, damaged, short):
    command = deliver(line(100, good, damaged, short, unit="KOLI-1"))
    [receipt, finding] = given(INK, *ready_site(), by=INVENTORY).when(command).events
    assert receipt == received(100, good=good, damaged=damaged, short=short)
    assert isinstance(finding, FindingRaised)
    assert (finding.finding, finding.unit) == ("delivery-variance.KOLI-1", "KOLI-1")


def test_a_difference_without_a_koli_is_found_at_the_site():
    [_, finding] = given(INK, *ready_site(), by=INVENTORY).when(deliver(line(10, 9, 1))).events
    assert finding.finding == f"delivery-variance.{WAREHOUSE}"


def test_two_differing_lines_of_one_koli_are_one_finding():
    command = deliver(line(10, 9, 1, unit="KOLI-1"), line(10, 9, 1, unit="KOLI-1"))
    events = given(INK, *ready_site(), by=INVENTORY).when(command).events
    assert [type(event) for event in events] == [StockReceived, StockReceived, FindingRaised]


def test_an_open_finding_is_not_raised_again():
    command = deliver(line(10, 9, 1, unit="KOLI-1"))
    [_, finding] = given(INK, *ready_site(), by=INVENTORY).when(command).events
    events = given(INK, *ready_site(), finding, by=INVENTORY).when(command).events
    assert [type(event) for event in events] == [StockReceived]


def test_only_a_ready_site_receives():
    given(proposed(), by=INVENTORY).when(deliver(line(1, 1))).then(SiteNotReady)
    given(by=INVENTORY).when(deliver(line(1, 1))).then(NotFound)


def test_only_items_of_the_catalogue_are_received():
    given(*ready_site(), by=INVENTORY).when(deliver(line(1, 1))).then(NotFound)


def test_sorting_tells_good_damaged_and_short_apart():
    command = SortStock(**INK_HERE, unit="KOLI-1", sorted=100, damaged=3, short=0)
    event = StockSorted(region="31.71", **INK_HERE, sorted=100, damaged=3, short=0)
    past = (*ready_site(), received(100))
    given(*past, by=INVENTORY).when(command).then(event)
    state = given(*past, event, by=INVENTORY).state(event.stream)
    assert state == Ledger(good=97, damaged=3)


def test_short_sheets_found_while_sorting_are_a_finding():
    command = SortStock(**INK_HERE, unit="KOLI-1", sorted=100, damaged=0, short=5)
    past = (*ready_site(), received(100))
    [event, finding] = given(*past, by=INVENTORY).when(command).events
    assert finding.finding == "sorting-variance.KOLI-1"
    assert given(*past, event, by=INVENTORY).state(event.stream) == Ledger(good=95)


def test_more_than_is_there_cannot_be_sorted():
    command = SortStock(**INK_HERE, sorted=101, damaged=0, short=0)
    given(*ready_site(), received(100), by=INVENTORY).when(command).then(InsufficientStock)
    with pytest.raises(ValidationError):
        SortStock(**INK_HERE, sorted=10, damaged=6, short=5)


def test_a_transfer_leaves_one_ledger_and_enters_the_other():
    command = TransferStock(**INK_HERE, to_site="GUDANG-2", quantity=44, document="SJ-9")
    past = (*ready_site(), *ready_site("GUDANG-2"), received(100))
    out = StockIssued(region="31.71", **INK_HERE, quantity=44, reason="rebalance", purpose="SJ-9")
    into = received(44, site="GUDANG-2", document="SJ-9", reason="rebalance")
    given(*past, by=INVENTORY).when(command).then(out, into)


def test_a_transfer_needs_stock_two_sites_and_both_ready():
    def move(**changes):
        fields = {**INK_HERE, "to_site": "GUDANG-2", "quantity": 44, "document": "SJ-9"}
        return TransferStock(**(fields | changes))

    both = (*ready_site(), *ready_site("GUDANG-2"))
    given(*both, received(43), by=INVENTORY).when(move()).then(InsufficientStock)
    given(*ready_site(), received(44), by=INVENTORY).when(move()).then(NotFound)
    half = (*ready_site(), proposed("GUDANG-2"), received(44))
    given(*half, by=INVENTORY).when(move()).then(SiteNotReady)
    same = move(to_site=WAREHOUSE)
    given(*both, received(44), by=INVENTORY).when(same).then(Invalid)


def test_damage_moves_good_pieces_to_the_damaged_ones():
    command = ReportDamage(**INK_HERE, quantity=4, note="leaking")
    event = StockDamaged(region="31.71", **INK_HERE, quantity=4, note="leaking")
    past = (*ready_site(), received(10))
    given(*past, by=INVENTORY).when(command).then(event)
    state = given(*past, event, by=INVENTORY).state(event.stream)
    assert state == Ledger(good=6, damaged=4)
    given(*ready_site(), received(3), by=INVENTORY).when(command).then(InsufficientStock)


def test_destruction_counts_good_and_damaged_and_names_the_witnesses():
    fields = {**INK_HERE, "good": 2, "damaged": 3, "record_number": "85/PR.05-BA/3171/4/2024"}
    command = DestroyStock(**fields, witnesses=WITNESSES)
    past = (RULES, *ready_site(), received(10, good=5, damaged=5))
    event = StockDestroyed(region="31.71", **fields, witnesses=WITNESSES)
    given(*past, by=INVENTORY).when(command).then(event)
    assert given(*past, event, by=INVENTORY).state(event.stream) == Ledger(good=3, damaged=2)


@pytest.mark.parametrize("absent", range(3))
def test_destruction_needs_the_supervisor_the_police_and_a_prosecutor(absent):
    witnesses = tuple(w for place, w in enumerate(WITNESSES) if place != absent)
    command = DestroyStock(**INK_HERE, good=1, record_number="85", witnesses=witnesses)
    past = (RULES, *ready_site(), received(10))
    given(*past, by=INVENTORY).when(command).then(WitnessesMissing)


@pytest.mark.parametrize("counts", [{"good": 6}, {"damaged": 6}])
def test_no_more_is_destroyed_than_there_is(counts):
    command = DestroyStock(**INK_HERE, **counts, record_number="85", witnesses=WITNESSES)
    past = (RULES, *ready_site(), received(10, good=5, damaged=5))
    given(*past, by=INVENTORY).when(command).then(InsufficientStock)


def test_destroying_nothing_makes_no_sense():
    with pytest.raises(ValidationError):
        DestroyStock(**INK_HERE, record_number="85", witnesses=WITNESSES)


def test_a_replacement_is_requested_once_and_supplied_once():
    request = RequestReplacement(
        region="31.71.01.1001", replacement="R-1", subject="BOX-1", cause="damaged.BOX-1"
    )
    requested = ReplacementRequested(**request.model_dump(exclude={"occurred_at"}))
    given(by=INVENTORY).when(request).then(requested)
    given(requested, by=INVENTORY).when(request).then_nothing()
    other = request.model_copy(update={"cause": "rain"})
    given(requested, by=INVENTORY).when(other).then(AlreadyExists)

    supply = SupplyReplacement(replacement="R-1", from_site=WAREHOUSE)
    supplied = ReplacementSupplied(region="31.71.01.1001", replacement="R-1", from_site=WAREHOUSE)
    given(*ready_site(), requested, by=INVENTORY).when(supply).then(supplied)
    given(*ready_site(), requested, supplied, by=INVENTORY).when(supply).then(WrongState)
    given(*ready_site(), by=INVENTORY).when(supply).then(NotFound)
