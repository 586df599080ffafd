"""Automatic notices: a fact of another service, told once to every agency that it concerns."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field

from shared.contracts.base import Event, Id, RegionCode, Text
from shared.contracts.exchange import NoticeSent
from shared.eventstore.command import Command


class SendNotice(Command):
    """Tell the agencies that want the topic and whose jurisdiction covers one of the regions.

    Nobody concerned: no notice. `notice` names the fact, so that it is told once.
    """

    name: ClassVar[str] = "send-notice"
    roles: ClassVar[frozenset[str]] = frozenset({"service"})

    notice: Id
    topic: Literal["site", "departure", "incident"]
    about: Text
    subject: Id
    region: RegionCode
    regions: tuple[RegionCode, ...] = Field(min_length=1, max_length=600)
    summary: Text

    def streams(self) -> tuple[str, ...]:
        return (f"notice-{self.notice}",)


def send_notice(command: SendNotice, states: Mapping[str, Any], context: Any) -> Sequence[Event]:
    if states[f"notice-{command.notice}"]:
        return ()
    agencies = context.facts.concerned(command.topic, command.regions)
    if not agencies:
        return ()
    sent = NoticeSent(
        region=command.region,
        notice=command.notice,
        topic=command.topic,
        about=command.about,
        subject=command.subject,
        agencies=agencies,
        summary=command.summary,
        concerned=command.regions if command.regions != (command.region,) else (),
    )
    return (sent,)


def evolve(sent: bool, event: Event) -> bool:
    return sent or isinstance(event, NoticeSent)
