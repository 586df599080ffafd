"""One trace from a request to its effects in other services; logs, metrics and health beside."""

import json
import urllib.error
import urllib.request
from datetime import date
from typing import Any

import pytest
from demo_stack import OWNERS, Stack
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from span_collector import Spans

from deploy.local.program import SERVICES
from shared.testing.process import wait_until

Logs = dict[str, list[dict[str, Any]]]
TRACE = "5ca1ab1e0ddba11c0ffee0de0badcafe"
CALLER = "00f067aa0ba902b7"
METERS = {
    "kawal_http_requests",
    "kawal_http_request_seconds",
    "kawal_commands",
}


def trace_of(event: dict[str, Any]) -> str:
    return event["meta"]["traceparent"].split("-")[1]


def test_packing_is_one_trace_from_the_request_to_custodys_events(logs: Logs, spans: Spans) -> None:
    packed = {e["id"]: e for e in logs["inventory"] if e["type"] == "inventory.kit-packed.v1"}
    registered = [e for e in logs["custody"] if e["meta"]["causation"] in packed]
    assert {e["meta"]["causation"] for e in registered} == set(packed)
    for event in registered:
        assert trace_of(event) == trace_of(packed[event["meta"]["causation"]])
    spans.wait_for(
        trace_of(registered[0]),
        {
            ("inventory", "POST /commands"),
            ("inventory", "relay inventory"),
            ("custody", "policy register-packed-units"),
            ("custody", "policy register-packed-units issues register-units"),
            ("custody", "relay custody"),
            ("custody", "projection custody"),
            ("console", "projection overview"),
        },
    )


def test_a_departure_is_one_trace_from_custody_to_a_notice(logs: Logs, spans: Spans) -> None:
    departed = [e for e in logs["custody"] if e["type"] == "custody.consignment-departed.v1"]
    notices = {e["meta"]["causation"]: e for e in logs["exchange"] if "notice" in e["type"]}
    for event in departed:
        assert trace_of(notices[event["id"]]) == trace_of(event)
    spans.wait_for(
        trace_of(departed[-1]),
        {
            ("custody", "POST /commands"),
            ("custody", "relay custody"),
            ("exchange", "policy notify issues send-notice"),
            ("exchange", "projection exchange"),
        },
    )


def test_a_callers_trace_goes_on_in_every_service(demo: Stack, spans: Spans) -> None:
    """A new site: proposed, surveyed and confirmed by a client that traces, told to agencies."""
    site = {"site": "GUDANG-JEJAK"}
    traced = {"traceparent": f"00-{TRACE}-{CALLER}-01"}
    for command, fields in _SITE.items():
        answer = demo.post("inventory", command, site | fields, **traced)
    demo.get("exchange", "/positions", at_least=f"inventory:{answer['position']}")
    notices = demo.get("exchange", "/notices", limit=5)["items"]
    [sent] = [row for row in notices if row["subject"] == site["site"]]
    event = demo.get("exchange", "/events", after=sent["position"] - 1, limit=1)["events"][0]
    assert trace_of(event) == TRACE
    spans.wait_for(
        TRACE,
        {
            ("inventory", "POST /commands/confirm-site"),
            ("inventory", "relay inventory"),
            ("exchange", "policy notify issues send-notice"),
            ("exchange", "relay exchange"),
            ("console", "projection overview"),
        },
    )
    first = [span for span in spans.of(TRACE) if span.parent == CALLER]
    assert {span.name for span in first} == {f"POST /commands/{name}" for name in _SITE}


_SITE: dict[str, dict[str, Any]] = {
    "propose-site": {
        "region": "31.01",
        "site_name": "GOR Jejak",
        "function": "city-warehouse",
        "address": "Jl. Jejak 1",
        "owner": "Pemprov DKI Jakarta",
        "latitude_udeg": -5_745_000,
        "longitude_udeg": 106_613_000,
        "capacity_m2": 400,
        "cctv": True,
        "unchanged": False,
    },
    "survey-site": {
        "checklist": dict.fromkeys(
            (
                *("flood_free", "electricity", "cctv", "safe_gate", "sound_building"),
                *("ventilation", "pallets", "truck_access", "extinguisher", "anti_termite"),
                *("handling_tools", "guards"),
            ),
            True,
        )
    },
    "confirm-site": {
        "opens_on": date(2024, 1, 10).isoformat(),
        "closes_on": date(2024, 3, 20).isoformat(),
        "contact": "p-jejak",
    },
}


def test_names_of_spans_hold_no_ids(spans: Spans, demo: Stack) -> None:
    names = {span.name for span in spans.all}
    assert len(names) < 150
    assert not [name for name in names if any(digit in name for digit in "0123456789")]


def test_a_refusal_is_a_json_log_line_with_its_trace(demo: Stack) -> None:
    trace = "0123456789abcdef0123456789abcdef"
    with pytest.raises(urllib.error.HTTPError) as refused:
        demo.post(
            "inventory", "survey-site", {"site": "NOWHERE"} | _SITE["survey-site"],
            **{"traceparent": f"00-{trace}-{CALLER}-01", "Idempotency-Key": "nowhere"},
        )  # fmt: skip
    assert refused.value.headers["content-type"] == "application/problem+json"
    log = demo.state.log("inventory")
    # The line is written after the answer was sent.
    assert wait_until(lambda: trace in log.read_text(), 5)
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    [about] = [line for line in lines if line.get("trace_id") == trace]
    status = refused.value.code
    assert about["message"] == f"POST /commands/survey-site {status}"
    assert about["service"] == "inventory" and about["level"] == "INFO" and about["span_id"]


@pytest.mark.parametrize("service", SERVICES)
def test_every_line_of_a_services_log_is_json(demo: Stack, service: str) -> None:
    for line in demo.state.log(service).read_text().splitlines():
        assert {"time", "level", "service", "message"} <= json.loads(line).keys(), line


@pytest.mark.parametrize("service", SERVICES)
def test_metrics_are_openmetrics(demo: Stack, service: str) -> None:
    with urllib.request.urlopen(f"{demo.url(service)}/metrics", timeout=10) as answer:
        assert answer.headers["content-type"].startswith("application/openmetrics-text")
        text = answer.read().decode()
    families = {family.name: family for family in text_string_to_metric_families(text)}
    own = {name for name in families if name.startswith("kawal_")}
    assert own >= (METERS if service in OWNERS else METERS - {"kawal_commands"})
    samples = [sample for name in own for sample in families[name].samples]
    assert not [s for s in samples for value in s.labels.values() if "31.01" in value]


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_alive_and_ready(demo: Stack, service: str) -> None:
    assert json.loads(demo.fetch(service, "/health/live")) == {"status": "ok"}
    ready = json.loads(demo.fetch(service, "/health/ready"))
    assert ready["status"] == "ok" and set(ready["checks"].values()) <= {"ok"}
    assert len(ready["checks"]) >= 2
