"""The relay's place in a trace: a span that links to the requests whose events it publishes."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache

import orjson
from opentelemetry import trace

from shared.bus.cloudevents import Stored
from shared.telemetry.tracing import cause

MOST_LINKS = 32

_tracer = trace.get_tracer("kawal.relay")


@contextmanager
def relayed(service: str, events: Sequence[Stored]) -> Iterator[None]:
    """A span for a run of events: child of the one request that made them, linked to several."""
    step = len(events) // MOST_LINKS + 1
    causes = {each.span_id: each for each in (_cause(event.meta) for event in events[::step])}
    sampled = [each for each in causes.values() if each.trace_flags.sampled]
    if not sampled:
        yield
        return
    parent = trace.set_span_in_context(trace.NonRecordingSpan(sampled[0]))
    with _tracer.start_as_current_span(
        f"relay {service}",
        context=parent if len(sampled) == 1 else None,
        kind=trace.SpanKind.PRODUCER,
        links=[trace.Link(each) for each in sampled],
        attributes={"messaging.system": "nats", "messaging.batch.message_count": len(events)},
    ):
        yield


@lru_cache(maxsize=1_024)
def _cause(meta: bytes) -> trace.SpanContext:
    """The span in which an event was made; an invalid one if none is named."""
    return cause(orjson.loads(meta).get("traceparent") or "")
