"""The relay's place in a trace: a span that links to the requests whose events it publishes."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache

import orjson
from opentelemetry import trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from shared.bus.cloudevents import Stored

MOST_LINKS = 32
SAMPLED = "-01"

_tracer = trace.get_tracer("kawal.relay")
_propagator = TraceContextTextMapPropagator()


@contextmanager
def relayed(service: str, events: Sequence[Stored]) -> Iterator[None]:
    """A span for a run of events: child of the one request that made them, linked to several."""
    parents = {_traceparent(event.meta): None for event in events[:MOST_LINKS]}
    sampled = [parent for parent in parents if parent.endswith(SAMPLED)]
    if not sampled:
        yield
        return
    contexts = [_propagator.extract({"traceparent": parent}) for parent in sampled]
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
def _traceparent(meta: bytes) -> str:
    return orjson.loads(meta).get("traceparent") or ""
