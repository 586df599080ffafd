"""The relay's place in a trace: a span that links to the requests whose events it publishes."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache

import orjson
from opentelemetry import trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from shared.bus.cloudevents import Stored

MOST_LINKS = 32

_tracer = trace.get_tracer("kawal.relay")
_propagator = TraceContextTextMapPropagator()


@contextmanager
def relayed(service: str, events: Sequence[Stored]) -> Iterator[None]:
    """A span for a run of events: child of the one request that made them, linked to several."""
    if not events or isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
        yield
        return
    parents = {event.meta: None for event in events[:MOST_LINKS]}
    contexts = [found for meta in parents if (found := _context(meta)) is not None]
    links = [trace.Link(trace.get_current_span(found).get_span_context()) for found in contexts]
    with _tracer.start_as_current_span(
        f"relay {service}",
        context=contexts[0] if len(contexts) == 1 else None,
        kind=trace.SpanKind.PRODUCER,
        links=links,
        attributes={"messaging.system": "nats", "messaging.batch.message_count": len(events)},
    ):
        yield


@lru_cache(maxsize=1_024)
def _context(meta: bytes):
    traceparent = orjson.loads(meta).get("traceparent")
    return _propagator.extract({"traceparent": traceparent}) if traceparent else None
