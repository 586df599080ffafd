"""Endpoints: where an agency receives webhooks, and about what."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import SplitResult, urlsplit

from pydantic import Field, StringConstraints

from services.exchange.domain import agencies
from services.exchange.domain.agencies import AgencyId
from services.exchange.domain.errors import (
    AlreadyExists,
    BadUrl,
    NotItsAgency,
    OutsideJurisdiction,
    UnknownEndpoint,
)
from services.exchange.domain.facts import REGION_LENGTHS
from shared.contracts.base import Event, RegionCode
from shared.contracts.exchange import (
    AgencyRegistered,
    EndpointChanged,
    EndpointDisabled,
    EndpointEnabled,
    EndpointRegistered,
    EndpointSecretRotated,
    EndpointTopic,
    NoticeSent,
)
from shared.eventstore.command import Command

EndpointId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9\-]{0,39}$")]
Url = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=r"^[\x21-\x7e]+$")]

STAFF = frozenset({"operator", "registrar", "admin", "service", "*"})
"""Who manages the endpoints of every agency in their regions; an agency manages its own."""
OWNERS = frozenset({"agency", "operator", "registrar", "admin"})


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The state of an endpoint's stream."""

    described: EndpointRegistered | EndpointChanged
    enabled: bool = True
    disabled: int = 0
    """How often it was."""

    @property
    def region(self) -> str:
        return self.described.region

    @property
    def names(self) -> dict[str, str]:
        """What each of its facts begins with."""
        of = self.described
        return {"region": of.region, "endpoint": of.endpoint, "agency": of.agency}


class EndpointCommand(Command):
    roles: ClassVar[frozenset[str]] = OWNERS

    endpoint: EndpointId

    def streams(self) -> tuple[str, ...]:
        return (stream(self.endpoint),)


class DescribeEndpoint(EndpointCommand):
    agency: AgencyId
    url: Url
    topics: tuple[EndpointTopic, ...] = Field(min_length=1, max_length=10)
    within: tuple[RegionCode, ...] = Field((), max_length=600)

    def streams(self) -> tuple[str, ...]:
        return (stream(self.endpoint), agencies.stream(self.agency))


class RegisterEndpoint(DescribeEndpoint):
    """Send an agency what concerns it, by webhook: on these topics, or of these regions only.

    Nothing is sent before the endpoint has a secret.
    """

    name: ClassVar[str] = "register-endpoint"


class ChangeEndpoint(DescribeEndpoint):
    """Describe an endpoint anew. What was queued for it goes to its new URL."""

    name: ClassVar[str] = "change-endpoint"


class DisableEndpoint(EndpointCommand):
    """Send nothing more; what is queued waits."""

    name: ClassVar[str] = "disable-endpoint"


class EnableEndpoint(EndpointCommand):
    """Send again: first what waits. What came meanwhile is sent by a replay."""

    name: ClassVar[str] = "enable-endpoint"


class RotateSecret(EndpointCommand):
    """The endpoint's next secret; `overlap_seconds` long the one before signs too."""

    name: ClassVar[str] = "rotate-secret"

    overlap_seconds: int = Field(ge=0, le=30 * 86_400)


class GiveUpEndpoint(EndpointCommand):
    """Disable an endpoint that is gone, or to which nothing got through for days; tell of it."""

    name: ClassVar[str] = "give-up-endpoint"
    roles: ClassVar[frozenset[str]] = frozenset({"service"})

    reason: Literal["failing", "gone"]


def stream(endpoint: str) -> str:
    return f"endpoint-{endpoint}"


def register_endpoint(
    command: RegisterEndpoint, states: Mapping[str, Any], context: Any
) -> Sequence[Event]:
    if states[stream(command.endpoint)] is not None:
        raise AlreadyExists(f"Endpoint {command.endpoint} exists.", endpoint=command.endpoint)
    return (EndpointRegistered(**_description(command, states, context)),)


def change_endpoint(
    command: ChangeEndpoint, states: Mapping[str, Any], context: Any
) -> Sequence[Event]:
    known = _require(command, states, context)
    if known.described.agency != command.agency:
        raise NotItsAgency(f"{command.endpoint} is not {command.agency}'s.")
    changed = EndpointChanged(**_description(command, states, context))
    same = changed.model_dump() == known.described.model_dump()
    return () if same else (changed,)


def disable_endpoint(
    command: DisableEndpoint, states: Mapping[str, Any], context: Any
) -> Sequence[Event]:
    known = _require(command, states, context)
    return (EndpointDisabled(**known.names, reason="asked"),) if known.enabled else ()


def enable_endpoint(
    command: EnableEndpoint, states: Mapping[str, Any], context: Any
) -> Sequence[Event]:
    known = _require(command, states, context)
    return () if known.enabled else (EndpointEnabled(**known.names),)


def rotate_secret(
    command: RotateSecret, states: Mapping[str, Any], context: Any
) -> Sequence[Event]:
    known = _require(command, states, context)
    return (EndpointSecretRotated(**known.names, overlap_seconds=command.overlap_seconds),)


SAID = {
    "gone": "Webhook {0} dihentikan: alamatnya menjawab 410.",
    "failing": "Webhook {0} dihentikan: tidak ada kiriman yang berhasil selama berhari-hari.",
}


def give_up_endpoint(
    command: GiveUpEndpoint, states: Mapping[str, Any], context: Any
) -> Sequence[Event]:
    known = _require(command, states, context)
    if not known.enabled:
        return ()
    disabled = EndpointDisabled(**known.names, reason=command.reason)
    notice = NoticeSent(
        region=known.region,
        notice=f"{command.endpoint}.disabled.{known.disabled + 1}",
        topic="endpoint",
        about=disabled.type,
        subject=command.endpoint,
        agencies=(known.described.agency,),
        summary=SAID[command.reason].format(command.endpoint),
    )
    return disabled, notice


def evolve(state: Endpoint | None, event: Event) -> Endpoint | None:
    match event:
        case EndpointRegistered():
            return Endpoint(event)
    assert state is not None
    match event:
        case EndpointChanged():
            return replace(state, described=event)
        case EndpointDisabled():
            return replace(state, enabled=False, disabled=state.disabled + 1)
        case EndpointEnabled():
            return replace(state, enabled=True)
    return state


def _require(command: EndpointCommand, states: Mapping[str, Any], context: Any) -> Endpoint:
    """The endpoint, if the actor may manage it."""
    known: Endpoint | None = states[stream(command.endpoint)]
    if known is None:
        raise UnknownEndpoint(f"There is no endpoint {command.endpoint}.")
    _admit(known.described.agency, context)
    return known


def _admit(agency: str, context: Any) -> None:
    if context.roles.isdisjoint(STAFF) and context.agency != agency:
        raise NotItsAgency(f"The endpoints of {agency} are not yours.", agency=agency)


def _description(
    command: DescribeEndpoint, states: Mapping[str, Any], context: Any
) -> dict[str, Any]:
    _admit(command.agency, context)
    agency = agencies.require(states, command.agency)
    _check_url(command.url, loopback=context.facts.loopback)
    _check_regions(command.within, agency)
    fields = command.model_dump(exclude={"occurred_at"})
    return {"region": agency.region, **fields}


def _check_url(text: str, *, loopback: bool) -> None:
    """Which addresses a name leads to is checked when something is sent: it may change."""
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError as error:
        raise BadUrl(f"That is no URL: {error}.") from None
    if not url.hostname or port == 0 or url.fragment or "@" in url.netloc:
        raise BadUrl("A URL with a host, without user, password and fragment is needed.")
    if url.scheme != "https" and not (loopback and _on_loopback(url)):
        raise BadUrl("Only https is sent to.")


def _on_loopback(url: SplitResult) -> bool:
    try:
        return url.scheme == "http" and ip_address(url.hostname or "").is_loopback
    except ValueError:
        return False


def _check_regions(within: Sequence[str], agency: AgencyRegistered) -> None:
    for region in within:
        if not any(region[:length] in agency.jurisdiction for length in REGION_LENGTHS):
            raise OutsideJurisdiction(f"{agency.agency} has no say in {region}.", region=region)
