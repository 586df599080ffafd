"""Receipt against a delivery note: every koli counted, every difference a finding."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field

from services.inventory.domain import catalogue, findings, sites
from services.inventory.domain.ids import Name, Pieces, Variant
from shared.contracts.base import Event, Text, Value
from shared.contracts.inventory import StockReceived, ledger
from shared.eventstore.command import Command


class DeliveryLine(Value):
    """`sent` is what the note says; `good`, `damaged`, `short` what was found; `unit` the koli."""

    item: Name
    variant: Variant = ""
    unit: Name | None = None
    sent: Pieces
    good: Pieces
    damaged: Pieces
    short: Pieces

    @property
    def varies(self) -> bool:
        found = self.good + self.damaged + self.short
        return bool(self.damaged or self.short or found != self.sent)


class ReceiveDelivery(Command):
    """Receive a delivery at a ready site; a koli that differs from the note is reported."""

    name: ClassVar[str] = "receive-delivery"
    roles: ClassVar[frozenset[str]] = frozenset({"operator"})

    document: Text
    site: Name
    reason: Literal["delivery", "replacement", "revote-stock", "return"] = "delivery"
    lines: tuple[DeliveryLine, ...] = Field(min_length=1, max_length=2000)

    def streams(self) -> tuple[str, ...]:
        return (sites.stream(self.site), catalogue.STREAM, *dict.fromkeys(self._of_lines()))

    def _of_lines(self) -> Iterator[str]:
        for line in self.lines:
            yield ledger(self.site, line.item, line.variant)
            if line.varies:
                yield findings.stream("delivery-variance", line.unit or self.site)


def receive_delivery(
    command: ReceiveDelivery, states: Mapping[str, Any], context: Any
) -> Sequence[Event]:
    """One receipt per line; one finding per koli, or one for the site where no koli is named."""
    region = sites.ready(states, command.site).region
    catalogue.require(states, (line.item for line in command.lines))
    received = [_received(command, line, region) for line in command.lines]
    differing = {line.unit or command.site: line for line in command.lines if line.varies}
    found = [
        event
        for line in differing.values()
        for event in findings.raised(
            states,
            "delivery-variance",
            region,
            _detail(command, line),
            unit=line.unit,
            site=command.site,
        )
    ]
    return [*received, *found]


def _received(command: ReceiveDelivery, line: DeliveryLine, region: str) -> StockReceived:
    return StockReceived(
        region=region,
        site=command.site,
        item=line.item,
        variant=line.variant,
        document=command.document,
        sent=line.sent,
        good=line.good,
        damaged=line.damaged,
        short=line.short,
        reason=command.reason,
    )


def _detail(command: ReceiveDelivery, line: DeliveryLine) -> str:
    return (
        f"{command.document}: of {line.sent} {line.item} {line.variant} sent, "
        f"{line.good} good, {line.damaged} damaged, {line.short} short"
    )
