"""Health as Kubernetes and people ask for it: named conditions, and the HTTP server that shows them and the metrics."""

from __future__ import annotations

from streams.health.conditions import Check, Condition, Health, Ready
from streams.health.server import HealthServer

__all__ = ["Check", "Condition", "Health", "HealthServer", "Ready"]
