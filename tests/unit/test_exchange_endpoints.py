"""Endpoints: registered for what an agency has a say in, disabled and enabled, given up once."""

import time
from typing import Any

from exchange_facts import DECIDER, FACTS, NOW, POLDA
from standardwebhooks import Webhook

from services.exchange.domain.endpoints import (
    ChangeEndpoint,
    DisableEndpoint,
    EnableEndpoint,
    GiveUpEndpoint,
    RegisterEndpoint,
    RotateSecret,
)
from services.exchange.domain.errors import (
    AlreadyExists,
    BadUrl,
    NotItsAgency,
    OutsideJurisdiction,
    UnknownAgency,
    UnknownEndpoint,
)
from services.exchange.webhooks import signing
from shared.contracts.exchange import (
    EndpointChanged,
    EndpointDisabled,
    EndpointEnabled,
    EndpointRegistered,
    EndpointSecretRotated,
    NoticeSent,
)
from shared.eventstore.command import Context
from shared.testing.scenario import given

FIELDS: dict[str, Any] = {
    "endpoint": "E-1",
    "agency": "POLDA-METRO-JAYA",
    "url": "https://polda.example/hook",
    "topics": ("departure",),
    "within": ("31.71",),
}
NAMES = {"region": "31", "endpoint": "E-1", "agency": "POLDA-METRO-JAYA"}
REGISTERED = EndpointRegistered(region="31", **FIELDS)
DISABLED = EndpointDisabled(**NAMES, reason="asked")


def by(agency: str, *roles: str) -> Context:
    return Context(NOW, "p-1", agency, frozenset(roles), frozenset({"31"}), FACTS)


POLICE, PROSECUTOR, KPU = (
    by("POLDA-METRO-JAYA", "agency"),
    by("KEJATI-DKI", "agency"),
    by("KPU", "registrar"),
)


def test_an_agency_or_a_registrar_registers_an_endpoint() -> None:
    for who in (POLICE, KPU):
        given(POLDA, by=DECIDER).when(RegisterEndpoint(**FIELDS), who).then(REGISTERED)


def test_nobody_registers_one_for_another_agency_or_twice_or_for_none() -> None:
    scene = given(POLDA, by=DECIDER)
    scene.when(RegisterEndpoint(**FIELDS), PROSECUTOR).then(NotItsAgency)
    given(POLDA, REGISTERED, by=DECIDER).when(RegisterEndpoint(**FIELDS), KPU).then(AlreadyExists)
    given(by=DECIDER).when(RegisterEndpoint(**FIELDS), KPU).then(UnknownAgency)


def test_its_regions_lie_in_the_agencys_jurisdiction() -> None:
    beyond = RegisterEndpoint(**FIELDS | {"within": ("31.71", "32.01")})
    given(POLDA, by=DECIDER).when(beyond, KPU).then(OutsideJurisdiction)


def test_only_https_is_sent_to() -> None:
    for url in ("http://polda.example/", "http://127.0.0.1/", "https://a:b@polda.example/"):
        given(POLDA, by=DECIDER).when(RegisterEndpoint(**FIELDS | {"url": url}), KPU).then(BadUrl)


def test_a_change_is_told_if_it_is_one() -> None:
    scene = given(POLDA, REGISTERED, by=DECIDER)
    scene.when(ChangeEndpoint(**FIELDS), POLICE).then_nothing()
    other = FIELDS | {"topics": ("letter",), "within": ()}
    changed = EndpointChanged(region="31", **other)
    scene.when(ChangeEndpoint(**other), POLICE).then(changed)
    scene.when(ChangeEndpoint(**other), PROSECUTOR).then(NotItsAgency)
    scene.when(ChangeEndpoint(**other | {"endpoint": "E-2"}), POLICE).then(UnknownEndpoint)


def test_disabled_and_enabled_once_each() -> None:
    scene = given(REGISTERED, by=DECIDER)
    scene.when(EnableEndpoint(endpoint="E-1"), POLICE).then_nothing()
    scene.when(DisableEndpoint(endpoint="E-1"), POLICE).then(DISABLED)
    scene = given(REGISTERED, DISABLED, by=DECIDER)
    scene.when(DisableEndpoint(endpoint="E-1"), POLICE).then_nothing()
    scene.when(EnableEndpoint(endpoint="E-1"), POLICE).then(EndpointEnabled(**NAMES))


def test_one_that_is_given_up_is_disabled_with_a_notice_to_its_agency_each_time_anew() -> None:
    service = by("system", "*")
    command = GiveUpEndpoint(endpoint="E-1", reason="gone")
    first = given(REGISTERED, by=DECIDER).when(command, service)
    disabled, notice = first.events
    assert disabled == EndpointDisabled(**NAMES, reason="gone")
    assert isinstance(notice, NoticeSent)
    assert (notice.topic, notice.agencies) == ("endpoint", ("POLDA-METRO-JAYA",))
    given(REGISTERED, disabled, by=DECIDER).when(command, service).then_nothing()
    again = given(REGISTERED, disabled, EndpointEnabled(**NAMES), by=DECIDER)
    assert again.when(command, service).events[1].stream != notice.stream


def test_a_rotation_tells_no_secret() -> None:
    command = RotateSecret(endpoint="E-1", overlap_seconds=60)
    rotated = EndpointSecretRotated(**NAMES, overlap_seconds=60)
    given(REGISTERED, by=DECIDER).when(command, POLICE).then(rotated)
    assert set(EndpointSecretRotated.model_fields) == {*NAMES, "overlap_seconds"}


def test_every_secret_signs_for_itself() -> None:
    old, new = signing.new_secret(), signing.new_secret()
    assert 24 <= len(new) <= 64
    at = int(time.time())
    headers = signing.headers("msg-1", at, b'{"a":1}', [new, old])
    for secret in (old, new):
        assert Webhook(signing.shown(secret)).verify(b'{"a":1}', headers) == {"a": 1}
