"""A worker process put together: clients, stages, loop, health. What it runs is given; nothing here knows a model."""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from types import FrameType
from typing import TextIO

from confluent_kafka import Consumer, KafkaError
from confluent_kafka.admin import AdminClient

from processors.contract import AnyProcessor, BatchPolicy, is_async
from processors.cores import usable_cores
from schemas import Stage
from streams.access import AccessRefused, connect, require_access, worker_grants
from streams.health import Health, HealthServer, Ready
from streams.kafka import CONNECT_TIMEOUT_S, consumer_settings, new_consumer, producer_settings
from streams.logs import name_instance
from streams.metrics import WorkerMetrics
from streams.settings import Delivery as DeliveryMode
from streams.settings import HttpSettings, Settings
from streams.telemetry import build_tracing
from streams.topics import require_topics
from streams.topology import LONG, Topics
from streams.worker.accounts import Observer
from streams.worker.breaker import Breaker, BreakerPolicy, BreakerState
from streams.worker.budget import Budget
from streams.worker.delivery import AtLeastOnce, Delivery, ExactlyOnce, Refused
from streams.worker.identity import Instance, claim_instance
from streams.worker.journal import Journal
from streams.worker.loop import Broken, Loop, LoopSettings
from streams.worker.membership import is_member
from streams.worker.outcomes import Outcomes, Versions
from streams.worker.process import calm_collector
from streams.worker.segment import Segment
from streams.worker.shadow import Shadow

log = logging.getLogger(__name__)

REVOKE_SHARE = 0.2
"""Of max.poll.interval: what finishing work may take when partitions are taken away; past the whole, we are out."""
FULL_GRACE_S = 1.0
"""A lane may be up against its budget for this long before it is paused: longer than most batches take, and a
rebalance, or an urgent post, may well wait for it."""
LOOK_EVERY_S = 1.0
"""How often readiness is looked at anew; nobody scrapes more often."""
SHADOW_STOP_S = 3.0
"""For the shadow's batch under way and its decisions on their way; it is nothing to wait for longer."""
STOP_MARGIN_S = 5.0
"""Beyond the drain timeout: for the last commit and for leaving the group."""


class Worker:
    """One segment of the chain. `processors` are those of the hosted stages, without the `retry` stage."""

    def __init__(
        self,
        settings: Settings,
        stages: Sequence[Stage],
        processors: Sequence[AnyProcessor],
        versions: Versions,
        *,
        http_port: int | None = None,
        look: Callable[[WorkerMetrics], None] | None = None,
        canary: Versions | None = None,
        shadow: Shadow | None = None,
    ) -> None:
        """`look` is called every second or so, on the consumer thread, to add to the metrics. `canary`: what some of
        the processors run for some of the posts. `shadow`: judges beside them, and is started and stopped here."""
        self._settings = settings
        self._stages = tuple(stages)
        self._processors = processors
        self._versions = versions
        self._http = settings.http if http_port is None else HttpSettings(host=settings.http.host, port=http_port)
        self._look = look
        self._canary = canary
        self._shadow = shadow
        self._stop = threading.Event()
        self._stop_by_s: float | None = None
        self._crash: BaseException | None = None
        self._topics = Topics(settings.topics.prefix)
        self.health = Health(settings.worker.ticket_age_limit_s)
        self.metrics = WorkerMetrics(settings.metrics)
        self.metrics.watch_ready(lambda: {entry.name: entry.ok for entry in self.health.ready().conditions})
        self._broker_error: tuple[float, str] | None = None

    def stop(self) -> None:
        """Finish what has begun and end `run`. May be called from any thread, and from a signal's handler."""
        if self._stop_by_s is None:
            self._stop_by_s = time.monotonic() + self._settings.worker.drain_timeout_s + STOP_MARGIN_S
        self._stop.set()

    def stop_on_signals(self) -> None:
        """SIGTERM and SIGINT drain the worker."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._signalled)

    def _signalled(self, _number: int, _frame: FrameType | None) -> None:
        self.stop()

    def run(self, out: TextIO) -> None:
        """Work until `stop`. Prints `ready` when it is.

        Raises `Broken`, `Fenced`, `IdentityTaken`, `Unreachable`, `AccessRefused`, `TopicsError`, `SettingsError` or
        KafkaException: reasons to exit.
        """
        settings = self._settings
        with ExitStack() as stack:
            inputs = self._topics.inputs(self._stages, settings.worker.lanes)
            grants = worker_grants(settings, self._stages)
            admin = connect(settings, grants)
            require_topics(admin, self._topics.all())
            # Offsets, and what a journal says of them, mean something in their own cluster only.
            cluster = str(admin.list_topics(timeout=CONNECT_TIMEOUT_S).cluster_id)
            self.health.set(Ready.BROKER, True, "a broker answered")
            server = HealthServer(self.health, self.metrics.registry, self._http)
            stack.callback(server.close)
            log.info("serving /live, /ready and /metrics on http://%s:%s", server.host, server.port)
            instance = claim_instance(settings.instance, settings.state_dir / settings.group / "instances")
            stack.callback(instance.release)
            name_instance(instance.name)
            journal = Journal(settings.state_dir / settings.group / "journal" / cluster, instance.name)
            tracing = build_tracing(settings.tracing, instance=instance.name, version=self._versions.code)
            stack.callback(tracing.close)
            self.metrics.running(self._versions.code, self._versions.pack, self._versions.policy)
            if self._canary is not None and self._canary.pack and self._canary.policy:
                self.metrics.running_beside("canary", self._canary.pack, self._canary.policy)
            if self._shadow is not None:
                self.metrics.running_beside("shadow", self._shadow.pack, self._shadow.policy)
                self._shadow.start()
                stack.callback(self._shadow.stop, SHADOW_STOP_S)
            outcomes = Outcomes(self._topics, self._versions, settings.retry.max_attempts, self._canary)
            segment = Segment(
                self._processors,
                outcomes,
                Observer(journal, self.metrics, tracing, self._stages),
                metrics=self.metrics,
                lanes=settings.worker.lanes,
                batching=self._batching(),
                threads=settings.worker.cpu_threads or usable_cores(),
                on_crash=self._crashed,
                shadow=self._shadow.put if self._shadow is not None else None,
            )
            segment.start()
            self.health.set(Ready.MODELS, True, "loaded")
            consumer = new_consumer(consumer_settings(settings.kafka, settings.group), self._on_error)
            breaker = Breaker(
                BreakerPolicy(
                    settings.breaker.window_s,
                    settings.breaker.min_count,
                    settings.breaker.failure_ratio,
                    settings.breaker.probe_interval_s,
                )
            )
            loop = Loop(
                consumer,
                self._delivery(instance),
                segment,
                outcomes,
                journal,
                breaker,
                self.metrics,
                tracing,
                LoopSettings(
                    inputs=inputs,
                    budgets={lane: self._budget(lane) for _, lane in inputs.values()},
                    commit_interval_s=settings.worker.commit_interval_ms / 1000,
                    revoke_timeout_s=settings.kafka.max_poll_interval_ms / 1000 * REVOKE_SHARE,
                    drain_timeout_s=settings.worker.drain_timeout_s,
                ),
                beat=self._beat,
            )
            calm_collector()
            limits_s = {lane: self._age_limit_s(lane) for lane in loop.ledger.loads}
            in_group = partial(_in_group, admin, settings.group, consumer)
            looker = _Looker(self, loop, breaker, limits_s, in_group, out)
            try:
                loop.run(lambda: looker.turned() or self._stop.is_set())
            except Refused as error:
                user = str(settings.kafka.security.username)
                require_access(admin, user, grants)  # names what is missing, where that can be asked
                raise AccessRefused(f"Kafka does not let {user} do what a commit needs: {error}") from error
            finally:
                # What ends here ends in order; only a stage that broke, or hangs, leaves its batch under suspicion.
                # Long media may take longer than a shutdown waits, and whoever stops us kills us after its own wait:
                # they have had their time. They hang when they are past their limit.
                busy = segment.stop(STOP_MARGIN_S, long_timeout_s=0.0)
                if self._crash is None and (not busy or (busy == {LONG} and self.health.live().ok)):
                    journal.close()

    def _budget(self, lane: str) -> Budget:
        worker = self._settings.worker
        if lane == LONG:
            return Budget(worker.max_in_flight_long, worker.max_in_flight_bytes, grace_s=0.0)
        return Budget(worker.max_in_flight_records, worker.max_in_flight_bytes, FULL_GRACE_S)

    def _age_limit_s(self, lane: str) -> float:
        worker = self._settings.worker
        return worker.long_ticket_age_limit_s if lane == LONG else worker.ticket_age_limit_s

    def _batching(self) -> dict[Stage, BatchPolicy]:
        found: dict[Stage, BatchPolicy] = {}
        for processor in self._processors:
            wanted = getattr(self._settings.batch, processor.stage.value, None)
            if wanted is not None and not is_async(processor):
                found[processor.stage] = replace(
                    processor.batching,
                    **{
                        name: value
                        for name, value in (
                            ("max_items", wanted.max_items),
                            ("max_cost", wanted.max_cost),
                            ("max_wait_s", None if wanted.max_wait_ms is None else wanted.max_wait_ms / 1000),
                        )
                        if value is not None
                    },
                )
        return found

    def _delivery(self, instance: Instance) -> Delivery:
        settings = self._settings
        producing = producer_settings(settings.kafka)
        timeout_s = settings.worker.transaction_timeout_ms / 1000
        if settings.delivery is DeliveryMode.EXACTLY_ONCE:
            return ExactlyOnce(
                producing,
                instance.transactional_id(settings.group),
                timeout_s,
                alive=self._beat,
                timed_out=lambda: self.metrics.transaction("timed_out"),
            )
        return AtLeastOnce(producing, timeout_s, self._beat)

    def _beat(self) -> None:
        """Between any two steps of the loop, also while a broker is waited for."""
        self.health.beat()
        if self._crash is not None:
            # Its text may quote a post; the log has the places.
            raise Broken(f"a stage's thread broke: {type(self._crash).__name__}") from self._crash
        if self._stop_by_s is not None and time.monotonic() > self._stop_by_s:
            raise Broken("stopping took too long (is the broker away?); what was not committed is done again")

    def _crashed(self, error: BaseException) -> None:
        self._crash = error

    def _on_error(self, error: KafkaError) -> None:
        self._broker_error = (time.monotonic(), error.str())
        log.warning("kafka: %s", error.str())

    def broker_trouble(self, within_s: float) -> str | None:
        """What the client last complained of, if it did so just now."""
        if self._broker_error is None or time.monotonic() - self._broker_error[0] > within_s:
            return None
        return self._broker_error[1]

    def look(self) -> None:
        if self._look is not None:
            self._look(self.metrics)


def _in_group(admin: AdminClient, group: str, consumer: Consumer) -> bool:
    return is_member(admin, group, consumer.memberid())


class _Looker:
    """Keeps readiness and the slower metrics current, from within the loop."""

    def __init__(
        self,
        worker: Worker,
        loop: Loop,
        breaker: Breaker,
        limits_s: Mapping[str, float],
        in_group: Callable[[], bool],
        out: TextIO,
    ) -> None:
        """`in_group` is asked, once a look, until the group has let us in."""
        self._worker = worker
        self._in_group = in_group
        self._loop = loop
        self._breaker = breaker
        self._limits_s = limits_s
        self._out = out
        self._next_s = 0.0
        self._said_ready = False

    def turned(self) -> bool:
        """Called once a turn; always False."""
        now = time.monotonic()
        if now < self._next_s and (self._said_ready or not self._loop.assignment.joined):
            return False
        self._next_s = now + LOOK_EVERY_S
        health, assignment = self._worker.health, self._loop.assignment
        health.oldest_ticket(*self._most_overdue())
        assignment.joined = assignment.joined or self._in_group()
        if assignment.joined:
            health.set(Ready.JOINED, True, f"{len(self._loop.ledger.partitions)} partitions are ours")
        waiting = assignment.newer()
        health.set(
            Ready.VERSIONS,
            not waiting,
            f"{len(waiting)} partitions wait for a newer modstream" if waiting else "every partition can be read",
        )
        closed = self._breaker.state is BreakerState.CLOSED
        health.set(Ready.BREAKER, closed, "closed" if closed else "too many messages fail by a fault of ours: paused")
        trouble = self._worker.broker_trouble(2 * LOOK_EVERY_S)
        health.set(Ready.BROKER, trouble is None, trouble or "a broker answers")
        assignment.report()
        self._worker.look()
        if not self._said_ready and health.ready().ok:
            self._said_ready = True
            print("ready", file=self._out, flush=True)  # the contract with whoever started us
        return False

    def _most_overdue(self) -> tuple[float | None, float | None]:
        """The ticket that is nearest to the limit of its age: since when it is under way, and that limit."""
        ledger = self._loop.ledger
        ages = [
            (since_s, self._limits_s[lane]) for lane in ledger.loads if (since_s := ledger.oldest_s(lane)) is not None
        ]
        return min(ages, key=sum, default=(None, None))
