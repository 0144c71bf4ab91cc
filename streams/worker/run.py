"""From settings to a running worker of some stages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from importlib.metadata import version
from itertools import chain
from typing import TextIO

from processors.asr import AsrProcessor
from processors.contract import AnyProcessor
from processors.encode import EncodeProcessor
from processors.engines import EngineStatistics
from processors.fuse import FuseProcessor
from processors.ocr import CacheStatistics, OcrProcessor
from schemas import Stage
from streams.beside import Hosted, hosted
from streams.metrics import EngineMetrics, WorkerMetrics
from streams.metrics.worker import PolicyRole
from streams.settings import Settings, SettingsError
from streams.topology import LONG, LONG_STAGES, without_a_lane
from streams.worker.beside_reports import CanaryReporter, ShadowReporter
from streams.worker.worker import Worker


def run_worker(settings: Settings, stages: Sequence[Stage], http_port: int | None, out: TextIO) -> int:
    """Run a worker with these stages until SIGTERM or SIGINT; prints `ready` to `out` when it is.

    Returns 0. Raises what `Worker.run` raises, and before anything has begun `SettingsError` for a stage that has none
    of the worker's lanes, and what `hosted` raises.
    """
    lanes = settings.worker.lanes
    if idle := without_a_lane(stages, lanes):
        reason = f"{', '.join(idle)} would have nothing to do: only {' and '.join(LONG_STAGES)} have the lane {LONG}"
        raise SettingsError([f"worker.lanes = {', '.join(lanes)}: {reason}"])
    code = version("modstream")
    found = hosted(settings, code, stages)
    worker = Worker(
        settings,
        stages,
        found.processors,
        found.versions,
        http_port=http_port,
        look=_look(found),
        canary=found.canary.versions if found.canary is not None else None,
        shadow=found.shadow,
    )
    worker.stop_on_signals()
    worker.run(out)
    return 0


def _look(found: Hosted) -> Callable[[WorkerMetrics], None]:
    """Adds to the metrics what everything that is hosted counts."""
    reports = [_Reporter(found.live).report]
    if found.canary is not None:
        canary = found.canary
        reports += [_Reporter(canary.processors, "canary").report, CanaryReporter(canary.watch).report]
    if found.shadow is not None:
        reports += [_Reporter(found.shadow.processors, "shadow").report, ShadowReporter(found.shadow).report]

    def look(metrics: WorkerMetrics) -> None:
        for report in reports:
            report(metrics)

    return look


class _Reporter:
    """Adds to the metrics what processors count since the last look."""

    def __init__(self, processors: Sequence[AnyProcessor], role: PolicyRole = "active") -> None:
        """`role`: whose they are. The graphs of all but the live pack are told apart by it: `canary/text`."""
        self._role: PolicyRole = role
        self._prefix = "" if role == "active" else f"{role}/"
        self._running = [
            running for running in processors if isinstance(running, EncodeProcessor | OcrProcessor | AsrProcessor)
        ]
        self._readers = [processor for processor in processors if isinstance(processor, OcrProcessor | AsrProcessor)]
        self._fusers = [processor for processor in processors if isinstance(processor, FuseProcessor)]
        self._engine_metrics: dict[str, EngineMetrics] = {}
        self._seen: dict[str, EngineStatistics] = {}
        self._lookups: dict[Stage, CacheStatistics] = {}
        self._errors: Counter[str] = Counter()

    def report(self, metrics: WorkerMetrics) -> None:
        for graph, (provider, now) in chain.from_iterable(running.engines().items() for running in self._running):
            if graph not in self._engine_metrics:
                self._engine_metrics[graph] = metrics.engine(self._prefix + graph, provider)
            before = self._seen.get(graph, EngineStatistics())
            self._seen[graph] = now
            self._engine_metrics[graph].ran(
                runs=now.runs - before.runs, rows=now.rows - before.rows, seconds=now.seconds - before.seconds
            )
        for reader in self._readers:
            found, before = reader.cache_statistics, self._lookups.get(reader.stage, CacheStatistics())
            self._lookups[reader.stage] = found
            metrics.media_lookups(reader.stage, found.hits - before.hits, found.misses - before.misses)
        for fuser in self._fusers:
            for rule, count in fuser.policy_errors.items():
                if count > self._errors[rule]:
                    metrics.policy_errors(self._role, rule, count - self._errors[rule])
                    self._errors[rule] = count
