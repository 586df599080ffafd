"""Traces, metrics and logs. Span names and metric labels are templates, never ids."""

from shared.telemetry.logs import configure_logging
from shared.telemetry.tracing import link, setup, span, trace_id, traceparent

__all__ = ["configure_logging", "link", "setup", "span", "trace_id", "traceparent"]
