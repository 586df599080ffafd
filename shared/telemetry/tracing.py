"""W3C trace context: one trace from the request through the stored event to its effects."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased, TraceIdRatioBased
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, TraceFlags
from opentelemetry.util.types import AttributeValue

from shared.settings import Settings
from shared.telemetry.logs import configure_logging

_TRACER = trace.get_tracer("kawal")


def setup(service: str, settings: Settings) -> None:
    """Logs, and spans to the configured endpoint; without one ids travel, nothing is recorded."""
    configure_logging(service, settings.log_level)
    if isinstance(trace.get_tracer_provider(), TracerProvider):
        return
    resource = Resource.create(
        {"service.name": service, "service.namespace": "kawal", "kawal.cell": settings.cell}
    )
    if settings.otlp_endpoint is None:
        trace.set_tracer_provider(TracerProvider(sampler=ALWAYS_OFF, resource=resource))
        return
    provider = TracerProvider(sampler=ParentBased(TraceIdRatioBased(1.0)), resource=resource)
    exporter = OTLPSpanExporter(endpoint=f"{settings.otlp_endpoint.rstrip('/')}/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)


def shutdown() -> None:
    """Sends what is still held back."""
    provider = trace.get_tracer_provider()
    if isinstance(provider, TracerProvider):
        provider.shutdown()


def traceparent() -> str:
    """The current span as a W3C header value; empty outside of any."""
    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return ""
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def trace_id() -> str:
    """The current trace's id in hexadecimal; empty outside of any."""
    context = trace.get_current_span().get_span_context()
    return f"{context.trace_id:032x}" if context.is_valid else ""


def parse(header: str) -> SpanContext | None:
    """The span that a `traceparent` names; None if it is not one."""
    parts = header.split("-")
    if len(parts) < 4 or [len(part) for part in parts[:4]] != [2, 32, 16, 2]:
        return None
    try:
        _, trace_, span_, flags = (int(part, 16) for part in parts[:4])
    except ValueError:
        return None
    context = SpanContext(trace_, span_, is_remote=True, trace_flags=TraceFlags(flags))
    return context if context.is_valid and parts[0] != "ff" else None


def parent(header: str) -> Context | None:
    """The context to start a span under; None, the current one, if the header says nothing."""
    context = parse(header) if header else None
    return trace.set_span_in_context(trace.NonRecordingSpan(context)) if context else None


def link(header: str) -> Link | None:
    """A link to the span that a message carries: a batch has many causes and no single parent."""
    context = parse(header) if header else None
    return Link(context) if context else None


@contextmanager
def span(
    name: str,
    kind: SpanKind = SpanKind.INTERNAL,
    *,
    caused_by: str = "",
    links: Iterable[str] = (),
    attributes: Mapping[str, AttributeValue] | None = None,
) -> Iterator[Span]:
    """A span around a piece of work; `caused_by` and `links` are `traceparent` values."""
    found: list[Any] = [link(header) for header in dict.fromkeys(links)]
    with _TRACER.start_as_current_span(
        name,
        context=parent(caused_by),
        kind=kind,
        attributes=dict(attributes) if attributes else None,
        links=[each for each in found if each is not None] or None,
    ) as current:
        yield current
