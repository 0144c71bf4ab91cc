"""Prometheus metrics: one catalogue, which is also the documentation, and typed methods that record into it."""

from __future__ import annotations

from streams.metrics.stage import EngineMetrics, StageMetrics
from streams.metrics.worker import BreakerState, PauseReason, RebalanceEvent, TransactionOutcome, WorkerMetrics

__all__ = [
    "BreakerState",
    "EngineMetrics",
    "PauseReason",
    "RebalanceEvent",
    "StageMetrics",
    "TransactionOutcome",
    "WorkerMetrics",
]
