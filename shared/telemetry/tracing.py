"""W3C trace context: one trace from the request through the stored event to its effects."""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased, TraceIdRatioBased
from opentelemetry.trace import Span, SpanContext, SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from shared.settings import Settings
from shared.telemetry.logs import configure_logging

_TRACER = trace.get_tracer("kawal")
_W3C = TraceContextTextMapPropagator()


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
    carrier: dict[str, str] = {}
    _W3C.inject(carrier)
    return carrier.get("traceparent", "")


def trace_id() -> str:
    """The current trace's id in hexadecimal; empty outside of any."""
    context = trace.get_current_span().get_span_context()
    return f"{context.trace_id:032x}" if context.is_valid else ""


def cause(header: str) -> SpanContext:
    """The span that a `traceparent` names; an invalid one if it names none."""
    context = _W3C.extract({"traceparent": header})
    return trace.get_current_span(context).get_span_context()


@contextmanager
def span(
    name: str,
    kind: SpanKind = SpanKind.INTERNAL,
    *,
    caused_by: str = "",
) -> Iterator[Span]:
    """A span around a piece of work; `caused_by` is a `traceparent`."""
    context = _W3C.extract({"traceparent": caused_by}) if caused_by else None
    with _TRACER.start_as_current_span(name, context=context, kind=kind) as current:
        yield current
