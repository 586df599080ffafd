"""Spans of the engine: a batch links to its events' traces, a command continues its event's."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from shared.bus.message import Message
from shared.telemetry.tracing import cause

MOST_LINKS = 20
SAMPLE = 100
"""Messages of a batch whose traces are looked at: reading the headers of all costs too much."""
TRACE = slice(3, 35)
"""Where a traceparent has its trace id."""

_tracer = trace.get_tracer("kawal.projection")
_propagator = TraceContextTextMapPropagator()


@contextmanager
def batch(kind: str, name: str, source: str, messages: Sequence[Message]) -> Iterator[None]:
    """A span for one transaction's events; at most `MOST_LINKS` distinct traces are linked."""
    if isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
        yield
        return
    step = len(messages) // SAMPLE + 1
    parents = {m.traceparent[TRACE]: m.traceparent for m in messages[::step] if m.traceparent}
    links = [trace.Link(cause(parent)) for parent in list(parents.values())[:MOST_LINKS]]
    with _tracer.start_as_current_span(
        f"{kind} {name}",
        kind=trace.SpanKind.CONSUMER,
        links=links,
        attributes={"kawal.source": source, "messaging.batch.message_count": len(messages)},
    ):
        yield


def command(policy: str, name: str, traceparent: str) -> trace.Span:
    """A span, to be ended by the caller, for a policy's command, in the trace of its event."""
    context = _propagator.extract({"traceparent": traceparent})
    return _tracer.start_span(
        f"policy {policy} issues {name}", context=context, kind=trace.SpanKind.PRODUCER
    )


def traceparent(span: trace.Span, otherwise: str) -> str:
    """The W3C form of a span's context; `otherwise` where nothing is traced."""
    carrier: dict[str, str] = {}
    _propagator.inject(carrier, trace.set_span_in_context(span))
    return carrier.get("traceparent", otherwise)
