"""OpenTelemetry traces: contexts in message headers, spans of messages and batches."""

from __future__ import annotations

from streams.telemetry.otlp import build_tracing
from streams.telemetry.propagation import extract, inject, traceparent
from streams.telemetry.tracing import Tracing, finish

__all__ = ["Tracing", "build_tracing", "extract", "finish", "inject", "traceparent"]
