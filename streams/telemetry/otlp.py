"""Tracing as the settings say: sent to a collector over OTLP, or not at all."""

from __future__ import annotations

from opentelemetry.sdk.trace.export import BatchSpanProcessor

from streams.settings import SettingsError, TracingSettings
from streams.telemetry.tracing import Tracing

TRACES_PATH = "/v1/traces"

EXPORT_TIMEOUT_S = 5.0
"""For one request; a collector that takes longer is down, and later spans queue behind it (at most 2,048, the SDK's
own limit; further ones are dropped)."""


def build_tracing(settings: TracingSettings, *, instance: str, version: str) -> Tracing:
    """Raises `SettingsError` when an endpoint is set and the exporter is not installed."""
    if settings.otlp_endpoint is None:
        return Tracing(settings.sample_ratio, instance=instance, version=version)
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    except ImportError as error:
        problem = (
            f"tracing.otlp_endpoint: is {settings.otlp_endpoint}, and {error.name} is not installed: install "
            "modstream[otlp], or leave the setting out"
        )
        raise SettingsError([problem]) from None
    endpoint = settings.otlp_endpoint.rstrip("/") + TRACES_PATH
    exporter = OTLPSpanExporter(endpoint=endpoint, timeout=EXPORT_TIMEOUT_S)
    return Tracing(settings.sample_ratio, [BatchSpanProcessor(exporter)], instance=instance, version=version)
