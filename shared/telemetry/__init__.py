"""Traces, metrics and logs. Span names and metric labels are templates, never ids."""

from shared.telemetry.tracing import setup, span, trace_id, traceparent

__all__ = ["setup", "span", "trace_id", "traceparent"]
