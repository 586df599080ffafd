"""The relay's span belongs to the request whose events it publishes, or links to several."""

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from shared.bus import tracing
from shared.eventstore import Recorded
from shared.testing.bus import entry

TRACE = "0af7651916cd43dd8448eb211c80319c"
OTHER = "00-1bf7651916cd43dd8448eb211c80319c-c7ad6b7169203331-03"  # sampled, with a random id


def _bad(traceparent: str) -> Recorded:
    return entry(6, traceparent=traceparent)


def test_one_request_is_the_parent_and_several_are_links(monkeypatch) -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(tracing, "_tracer", provider.get_tracer("test"))
    with tracing.relayed("custody", [entry(1), entry(2)]):
        pass
    with tracing.relayed("custody", [entry(3), entry(4, traceparent=OTHER)]):
        pass
    for events in ([], [entry(5, traceparent=OTHER[:-1] + "2"), *map(_bad, ("", "zz"))]):
        with tracing.relayed("custody", events):
            pass
    one, several = exporter.get_finished_spans()
    assert one.name == several.name == "relay custody"
    assert f"{one.context.trace_id:032x}" == TRACE
    assert several.parent is None
    assert [f"{link.context.trace_id:032x}" for link in several.links] == [TRACE, OTHER[3:35]]
