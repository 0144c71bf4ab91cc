"""From settings to a running worker: the pack, the policy, the hosted stages' processors."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any, TextIO

from processors.chain import build_chain
from processors.contract import Processor
from processors.encode import EncodeProcessor
from processors.engines import EngineStatistics
from processors.fuse import EvidenceLimits, FuseProcessor
from processors.ingest import IngestProcessor
from processors.pack.features import FEATURES
from processors.packs import load_pack
from processors.policy import load_policy
from schemas import Stage
from streams.metrics import EngineMetrics, WorkerMetrics
from streams.settings import Settings
from streams.topology import STAGES
from streams.worker.outcomes import Versions
from streams.worker.worker import Worker

log = logging.getLogger(__name__)

WITHOUT_MODELS = frozenset({Stage.INGEST, Stage.RETRY})
"""Stages that need neither pack nor policy: a worker of these starts without them."""


def run_worker(settings: Settings, stages: Sequence[Stage], http_port: int | None, out: TextIO) -> int:
    """Run a worker with these stages until SIGTERM or SIGINT; prints `ready` to `out` when it is.

    Returns 0. Raises what `Worker.run` raises, and PackError, PolicyError and EngineError before anything has begun.
    """
    code = version("modstream")
    processors, versions = _processors(settings, stages, code)
    worker = Worker(settings, stages, processors, versions, http_port=http_port, look=_Reporter(processors).report)
    worker.stop_on_signals()
    worker.run(out)
    return 0


def chain_of(
    settings: Settings, code: str, stages: Sequence[Stage] = STAGES
) -> tuple[tuple[Processor[Any], ...], Versions]:
    """The processors of these stages as the settings say, and what they are versions of.

    Raises PackError, PolicyError and EngineError.
    """
    pack = load_pack(settings.pack)
    policy = load_policy(settings.policy, pack.manifest.thresholds, FEATURES)
    limits = settings.limits
    processors = build_chain(
        pack,
        policy,
        code=code,
        device=settings.worker.device.value,
        threads=settings.worker.cpu_threads,
        max_text_chars=limits.max_text_chars,
        max_windows=limits.max_windows,
        evidence=EvidenceLimits(count=limits.evidence_count, chars=limits.evidence_chars),
        stages=stages,
    )
    return processors, Versions(code, pack.version, policy.reference)


def _processors(settings: Settings, stages: Sequence[Stage], code: str) -> tuple[tuple[Processor[Any], ...], Versions]:
    if WITHOUT_MODELS.issuperset(stages):
        ingest = IngestProcessor(max_text_chars=settings.limits.max_text_chars)
        return ((ingest,) if Stage.INGEST in stages else ()), Versions(code, None, None)
    return chain_of(settings, code, stages)


class _Reporter:
    """Adds to the metrics what processors count since the last look."""

    def __init__(self, processors: Sequence[Processor[Any]]) -> None:
        self._encoders = [processor for processor in processors if isinstance(processor, EncodeProcessor)]
        self._fusers = [processor for processor in processors if isinstance(processor, FuseProcessor)]
        self._engine_metrics: dict[str, EngineMetrics] = {}
        self._seen: dict[str, EngineStatistics] = {}
        self._errors: Counter[str] = Counter()

    def report(self, metrics: WorkerMetrics) -> None:
        for encoder in self._encoders:
            if encoder.graph not in self._engine_metrics:
                self._engine_metrics[encoder.graph] = metrics.engine(encoder.graph, encoder.engine.provider)
            now, before = encoder.statistics, self._seen.get(encoder.graph, EngineStatistics())
            self._seen[encoder.graph] = now
            self._engine_metrics[encoder.graph].ran(
                runs=now.runs - before.runs, rows=now.rows - before.rows, seconds=now.seconds - before.seconds
            )
        for fuser in self._fusers:
            for rule, count in fuser.policy_errors.items():
                if count > self._errors[rule]:
                    metrics.policy_errors("active", rule, count - self._errors[rule])
                    self._errors[rule] = count
