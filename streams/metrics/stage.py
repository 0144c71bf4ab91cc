"""What a stage and an engine record: their children are looked up once, so that a batch costs a few additions."""

from __future__ import annotations

from schemas import Cause
from streams.metrics import catalogue
from streams.metrics.labels import AllowList, Codes
from streams.metrics.specs import Instruments

IN_PLACE = "in_place"
"""The `delay` of another try within the stage."""

FINAL_CAUSES = tuple(cause for cause in Cause if cause is not Cause.TRANSIENT)
"""Those of dead letters; `transient` is a cause of retries."""


class StageFamilies:
    """The metrics that have a stage among their labels, in one registry."""

    def __init__(self, instruments: Instruments) -> None:
        self.records = instruments.counter(catalogue.STAGE_RECORDS)
        self.batch_items = instruments.histogram(catalogue.BATCH_ITEMS)
        self.batch_cost = instruments.histogram(catalogue.BATCH_COST)
        self.batch_limit_items = instruments.gauge(catalogue.BATCH_LIMIT_ITEMS)
        self.batch_limit_cost = instruments.gauge(catalogue.BATCH_LIMIT_COST)
        self.queue_seconds = instruments.histogram(catalogue.QUEUE_SECONDS)
        self.prepare_seconds = instruments.histogram(catalogue.PREPARE_SECONDS)
        self.compute_seconds = instruments.histogram(catalogue.COMPUTE_SECONDS)
        self.poison = instruments.counter(catalogue.POISON_ISOLATED)
        self.retries = instruments.counter(catalogue.RETRIES)
        self.dead_letters = instruments.counter(catalogue.DEAD_LETTERS)
        self.modality_failures = instruments.counter(catalogue.MODALITY_FAILURES)
        self.cause = AllowList(Cause)
        self.code = Codes()


class StageMetrics:
    """One stage. Every method is safe to call from any thread."""

    def __init__(self, families: StageFamilies, stage: str) -> None:
        self._stage = stage
        self._families = families
        key = (stage,)
        self._records = families.records[key]
        self._batch_items = families.batch_items[key]
        self._batch_cost = families.batch_cost[key]
        self._queue_seconds = families.queue_seconds[key]
        self._prepare_seconds = families.prepare_seconds[key]
        self._compute_seconds = families.compute_seconds[key]
        self._poison = families.poison[key]
        # A counter that first appears with a value hides its first rise: a dead letter must show from the first one.
        for cause in FINAL_CAUSES:
            families.dead_letters[stage, cause].inc(0)

    def limits(self, items: int, cost: int) -> None:
        """Most records of a batch, and most cost."""
        self._families.batch_limit_items[self._stage,].set(items)
        self._families.batch_limit_cost[self._stage,].set(cost)

    def batch(
        self, *, items: int, cost: int, queue_s: float, prepare_s: float, compute_s: float, isolated: int = 0
    ) -> None:
        """One batch is through. `queue_s` is the wait of its oldest record; `isolated` of its records were poison."""
        self._batch_items.observe(items)
        self._batch_cost.observe(cost)
        self._queue_seconds.observe(queue_s)
        self._prepare_seconds.observe(prepare_s)
        self._compute_seconds.observe(compute_s)
        if isolated:
            self._poison.inc(isolated)

    def finished(self, records: int) -> None:
        """Records that go on to the next stage, or out."""
        self._records.inc(records)

    def retried(self, delay: str, records: int = 1) -> None:
        """`delay` is a name of `RETRY_DELAYS_S`, or `IN_PLACE`."""
        self._families.retries[self._stage, delay].inc(records)

    def dead_lettered(self, cause: str, messages: int = 1) -> None:
        """A cause that is no `Cause` counts as `other`."""
        families = self._families
        families.dead_letters[self._stage, families.cause(cause)].inc(messages)


class EngineFamilies:
    """The metrics of engines, in one registry."""

    def __init__(self, instruments: Instruments) -> None:
        self.runs = instruments.counter(catalogue.ENGINE_RUNS)
        self.rows = instruments.counter(catalogue.ENGINE_ROWS)
        self.seconds = instruments.counter(catalogue.ENGINE_SECONDS)


class EngineMetrics:
    """One graph on one execution provider."""

    def __init__(self, families: EngineFamilies, graph: str, provider: str) -> None:
        key = (graph, provider)
        self._runs = families.runs[key]
        self._rows = families.rows[key]
        self._seconds = families.seconds[key]

    def ran(self, *, runs: int, rows: int, seconds: float) -> None:
        """What has run since the last call."""
        self._runs.inc(runs)
        self._rows.inc(rows)
        self._seconds.inc(seconds)
