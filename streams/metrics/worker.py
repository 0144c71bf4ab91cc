"""What a worker records. One call per batch or per commit, never one per message."""

from __future__ import annotations

import platform
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Literal, get_args

import numpy as np
from prometheus_client import CollectorRegistry, ProcessCollector

from schemas import Action
from streams.metrics import catalogue
from streams.metrics.beside import BesideMetrics
from streams.metrics.labels import AllowList
from streams.metrics.specs import Instruments
from streams.metrics.stage import EngineFamilies, EngineMetrics, StageFamilies, StageMetrics
from streams.settings import MetricSettings

TransactionOutcome = Literal["committed", "aborted", "timed_out", "lost", "fenced"]
RebalanceEvent = Literal["assigned", "revoked", "lost"]
PauseReason = Literal["budget", "breaker", "newer_version", "not_before"]
BreakerState = Literal["closed", "open", "probing"]
PolicyRole = Literal["active", "canary", "shadow"]
PostKind = Literal["text", "media"]
"""Whether a post has media: what they cost is another order of magnitude."""

Decided = tuple[str, str | None, str | None, str | None]
"""(action, tenant, language, region) of a post."""


class WorkerMetrics:
    """The whole catalogue in one registry (its own, unless one is given). Safe to call from any thread.

    `clock` is the worker's monotonic clock, `wall` the time of day, both in seconds.
    """

    def __init__(
        self,
        settings: MetricSettings | None = None,
        registry: CollectorRegistry | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        settings = MetricSettings() if settings is None else settings
        self.registry = CollectorRegistry() if registry is None else registry
        self._clock = clock
        self._wall = wall
        self._tenant = AllowList(settings.tenants)
        self._language = AllowList(settings.languages)
        self._region = AllowList(settings.regions)
        instruments = Instruments(self.registry)
        self._stages = StageFamilies(instruments)
        self._by_stage: dict[str, StageMetrics] = {}
        self._engines = EngineFamilies(instruments)
        self._consumed = instruments.counter(catalogue.MESSAGES_CONSUMED)
        self._decided = instruments.counter(catalogue.POSTS_DECIDED)
        self._deleted = instruments.counter(catalogue.POSTS_DELETED)[()]
        self._end_to_end = instruments.histogram(catalogue.END_TO_END_SECONDS)
        self._outputs = instruments.counter(catalogue.OUTPUTS)
        self._decision_confidence = instruments.histogram(catalogue.DECISION_CONFIDENCE)
        self._modality_confidence = instruments.histogram(catalogue.MODALITY_CONFIDENCE)
        self._in_flight_records = instruments.gauge(catalogue.IN_FLIGHT_RECORDS)
        self._in_flight_bytes = instruments.gauge(catalogue.IN_FLIGHT_BYTES)
        self._oldest_since: float | None = None
        instruments.gauge(catalogue.OLDEST_TICKET_AGE)[()].set_function(self._oldest_age)
        self._ready = instruments.gauge(catalogue.READY_STATE)
        self._assigned = instruments.gauge(catalogue.PARTITIONS_ASSIGNED)[()]
        self._paused = instruments.gauge(catalogue.PARTITIONS_PAUSED)
        self._suspects = instruments.gauge(catalogue.JOURNAL_SUSPECTS)[()]
        self._breaker = instruments.gauge(catalogue.BREAKER_STATE)
        self._probes = instruments.counter(catalogue.BREAKER_PROBES)
        self._transactions = instruments.counter(catalogue.TRANSACTIONS)
        self._commit_seconds = instruments.histogram(catalogue.COMMIT_SECONDS)[()]
        self._rebalances = instruments.counter(catalogue.REBALANCES)
        self._drain_seconds = instruments.histogram(catalogue.REBALANCE_DRAIN_SECONDS)[()]
        self._lag_messages = instruments.gauge(catalogue.LAG_MESSAGES)
        self._lag_seconds = instruments.gauge(catalogue.LAG_SECONDS)
        self._oldest_ms: dict[tuple[str, str], int | None] = {}
        self._waiting: dict[tuple[str, str], tuple[int, int]] = {}
        self._media_lookups = instruments.counter(catalogue.MEDIA_LOOKUPS)
        self._policy_errors = instruments.counter(catalogue.POLICY_ERRORS)
        self._policy_info = instruments.gauge(catalogue.POLICY_INFO)
        self._pack_info = instruments.gauge(catalogue.PACK_INFO)
        self._build_info = instruments.gauge(catalogue.BUILD_INFO)
        self.beside = BesideMetrics(instruments)
        ProcessCollector(registry=self.registry)
        self._start_at_zero()

    def _start_at_zero(self) -> None:
        # A counter that first appears with a value hides its first rise from rate() and increase().
        for outcome in get_args(TransactionOutcome):
            self._transactions[outcome,].inc(0)
        for event in get_args(RebalanceEvent):
            self._rebalances[event,].inc(0)
        for reason in get_args(PauseReason):
            self._paused[reason,].set(0)
        for outcome in ("succeeded", "failed"):
            self._probes[outcome,].inc(0)
        self.breaker("closed")

    # Stages and engines

    def stage(self, stage: str) -> StageMetrics:
        found = self._by_stage.get(stage)
        if found is None:
            found = self._by_stage[stage] = StageMetrics(self._stages, stage)
        return found

    def engine(self, graph: str, provider: str) -> EngineMetrics:
        """To be kept by the caller."""
        return EngineMetrics(self._engines, graph, provider)

    def media_lookups(self, stage: str, hits: int, misses: int) -> None:
        """Since the last call."""
        self._media_lookups[stage, "hit"].inc(hits)
        self._media_lookups[stage, "miss"].inc(misses)

    def modality_failed(self, modality: str, code: str | None, posts: int = 1) -> None:
        """`code` is a stable code; what is not written like one (a sentence, say) counts as `other`."""
        self._stages.modality_failures[modality, self._stages.code(code)].inc(posts)

    # Messages and posts

    def consumed(self, topic: str, lane: str, messages: int) -> None:
        self._consumed[topic, lane].inc(messages)

    def decided(self, posts: Iterable[Decided]) -> None:
        """The posts whose decisions have just been committed."""
        for (action, tenant, language, region), count in Counter(posts).items():
            group = (self._tenant(tenant), self._language(language), self._region(region))
            if (action, *group) not in self._decided:
                for other in Action:  # or the first block of a language would hide from its rate of blocks
                    self._decided[other.value, *group].inc(0)
            self._decided[action, *group].inc(count)

    def confidences(self, decisions: Mapping[str, Sequence[float]], modalities: Mapping[str, Sequence[float]]) -> None:
        """Of the decisions that have just been committed: action -> confidences, and modality -> confidences."""
        for action, found in decisions.items():
            self._decision_confidence[action,].observe_many(found)
        for modality, found in modalities.items():
            self._modality_confidence[modality,].observe_many(found)

    def deleted(self, posts: int) -> None:
        self._deleted.inc(posts)

    def end_to_end(self, lane: str, kind: PostKind, published_ms: Sequence[int]) -> None:
        """Posts of a lane and a kind whose decisions have just been committed, by the timestamps of their messages."""
        latencies = self._wall() - np.asarray(published_ms, dtype=np.float64) / 1000
        # A sender's clock may run ahead of ours: a negative latency would falsify the sum.
        self._end_to_end[lane, kind].observe_many(np.maximum(latencies, 0.0))

    def produced(self, topic: str, messages: int) -> None:
        """Outputs that have just been committed."""
        self._outputs[topic,].inc(messages)

    # The worker's own state

    def in_flight(self, lane: str, records: int, size: int) -> None:
        """`size` in bytes."""
        self._in_flight_records[lane,].set(records)
        self._in_flight_bytes[lane,].set(size)

    def oldest_ticket(self, since: float | None) -> None:
        """When the oldest message under way was admitted, by `clock`; None when there is none."""
        self._oldest_since = since

    def _oldest_age(self) -> float:
        since = self._oldest_since
        return 0.0 if since is None else max(0.0, self._clock() - since)

    def watch_ready(self, conditions: Callable[[], Mapping[str, bool]]) -> None:
        """Which conditions of readiness there are, and what tells at each scrape whether they hold."""

        def holds(condition: str) -> float:
            return float(conditions()[condition])

        for condition in conditions():
            self._ready[condition,].set_function(partial(holds, condition))

    def assigned(self, partitions: int) -> None:
        self._assigned.set(partitions)

    def paused(self, reason: PauseReason, partitions: int) -> None:
        self._paused[reason,].set(partitions)

    def suspects(self, messages: int) -> None:
        self._suspects.set(messages)

    def breaker(self, state: BreakerState) -> None:
        for name in get_args(BreakerState):
            self._breaker[name,].set(name == state)

    def probed(self, *, succeeded: bool) -> None:
        self._probes["succeeded" if succeeded else "failed",].inc()

    # Kafka

    def transaction(self, outcome: TransactionOutcome, seconds: float | None = None) -> None:
        """How a transaction (or an at-least-once commit) ended; `seconds` from its first output, where committed."""
        self._transactions[outcome,].inc()
        if seconds is not None:
            self._commit_seconds.observe(seconds)

    def rebalanced(self, event: RebalanceEvent, drain_s: float | None = None) -> None:
        """`drain_s` is what it took to finish and commit the work of the partitions that were taken away."""
        self._rebalances[event,].inc()
        if drain_s is not None:
            self._drain_seconds.observe(drain_s)

    def lag(
        self, topic: str, partition: int, messages: int, oldest_ms: int | None, position: int | None = None
    ) -> None:
        """Messages after the last committed one, and the timestamp of the oldest that is under way, if any.

        Where none is, and messages wait all the same (the partition is paused), they age from when they were first seen
        to wait at `position`, the offset of the oldest.
        """
        key = (topic, str(partition))
        self._lag_messages[key].set(messages)
        if messages and oldest_ms is None and position is not None:
            known_position, since_ms = self._waiting.get(key, (None, 0))
            oldest_ms = since_ms if known_position == position else int(self._wall() * 1000)
            self._waiting[key] = position, oldest_ms
        else:
            self._waiting.pop(key, None)
        known = key in self._oldest_ms
        self._oldest_ms[key] = oldest_ms
        if not known:
            self._lag_seconds[key].set_function(lambda: self._lag_age(key))

    def _lag_age(self, key: tuple[str, str]) -> float:
        oldest_ms = self._oldest_ms.get(key)
        return 0.0 if oldest_ms is None else max(0.0, self._wall() - oldest_ms / 1000)

    def forget_partition(self, topic: str, partition: int) -> None:
        """The partition is another worker's now; its lag is for that worker to tell."""
        key = (topic, str(partition))
        self._lag_messages.forget(key)
        self._lag_seconds.forget(key)
        self._oldest_ms.pop(key, None)
        self._waiting.pop(key, None)

    # Models and policies

    def policy_errors(self, role: PolicyRole, rule: str, posts: int = 1) -> None:
        self._policy_errors[role, rule].inc(posts)

    def running(
        self, version: str, pack: str | None = None, policy: str | None = None, shadow: str | None = None
    ) -> None:
        """What runs from now on; the last call holds. `pack`, `policy` and `shadow` as `name@sha`."""
        for family in (self._build_info, self._pack_info, self._policy_info):
            family.forget_all()
        self._build_info[version, platform.python_version()].set(1)
        if pack is not None:
            self._pack_info[pack,].set(1)
        if policy is not None:
            self._policy_info[policy, "active"].set(1)
        if shadow is not None:
            self._policy_info[shadow, "shadow"].set(1)

    def running_beside(self, role: PolicyRole, pack: str, policy: str) -> None:
        """A canary or a shadow that runs too; to be told after `running`."""
        self._pack_info[pack,].set(1)
        self._policy_info[policy, role].set(1)
