"""Prometheus metrics: one catalogue, which is also the documentation, and typed methods that record into it."""

from __future__ import annotations

from streams.metrics.stage import EngineMetrics, StageMetrics
from streams.metrics.worker import (
    BreakerState,
    PauseReason,
    PostKind,
    RebalanceEvent,
    TransactionOutcome,
    WorkerMetrics,
)

__all__ = [
    "BreakerState",
    "EngineMetrics",
    "PauseReason",
    "PostKind",
    "RebalanceEvent",
    "StageMetrics",
    "TransactionOutcome",
    "WorkerMetrics",
]
