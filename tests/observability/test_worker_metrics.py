from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest

from schemas import Cause, Stage
from streams.metrics import WorkerMetrics
from streams.metrics.stage import IN_PLACE
from streams.settings import MetricSettings
from tests.observability.instruments import Sample, SetClock

SETTINGS = MetricSettings(tenants=("acme",), languages=("en", "de"), regions=("EU",))


@pytest.fixture
def metrics(registry: CollectorRegistry, clock: SetClock) -> WorkerMetrics:
    return WorkerMetrics(SETTINGS, registry, clock=clock, wall=clock)


def test_messages_are_counted_by_topic_and_lane(metrics: WorkerMetrics, sample: Sample) -> None:
    metrics.consumed("moderation.posts", "standard", 500)
    metrics.consumed("moderation.posts", "standard", 20)
    assert sample("messages_consumed_total", topic="moderation.posts", lane="standard") == 520


def test_decisions_are_counted_by_action_tenant_language_and_region(metrics: WorkerMetrics, sample: Sample) -> None:
    metrics.decided([("block", "acme", "en", "EU"), ("block", "acme", "en", "EU"), ("approve", "acme", "de", None)])
    assert sample("posts_decided_total", action="block", tenant="acme", lang="en", region="EU") == 2
    assert sample("posts_decided_total", action="approve", tenant="acme", lang="de", region="none") == 1


def test_every_action_of_a_group_is_there_before_it_happens_so_that_its_rate_is_whole(
    metrics: WorkerMetrics, sample: Sample
) -> None:
    metrics.decided([("approve", "acme", "en", "EU")])
    assert sample("posts_decided_total", action="block", tenant="acme", lang="en", region="EU") == 0
    assert sample("posts_decided_total", action="review", tenant="acme", lang="en", region="EU") == 0


def test_confidence_is_told_by_action_and_by_modality(metrics: WorkerMetrics, sample: Sample) -> None:
    metrics.confidences({"approve": [0.9, 0.7], "block": [1.0]}, {"text": [0.8], "image": []})
    assert sample("decision_confidence_sum", action="approve") == pytest.approx(1.6)
    assert sample("decision_confidence_count", action="approve") == 2
    assert sample("decision_confidence_bucket", action="block", le="1.0") == 1
    assert sample("modality_confidence_sum", modality="text") == pytest.approx(0.8)


def test_each_condition_of_readiness_is_told_as_it_is_at_the_scrape(metrics: WorkerMetrics, sample: Sample) -> None:
    conditions = {"joined": True, "breaker": True}
    metrics.watch_ready(lambda: conditions)
    assert (sample("ready_state", condition="joined"), sample("ready_state", condition="breaker")) == (1, 1)
    conditions["breaker"] = False
    assert (sample("ready_state", condition="joined"), sample("ready_state", condition="breaker")) == (1, 0)


def test_senders_cannot_make_series(metrics: WorkerMetrics, registry: CollectorRegistry, sample: Sample) -> None:
    metrics.decided([("review", f"tenant-{number}", f"x{number}", f"r{number}") for number in range(1000)])
    assert sample("posts_decided_total", action="review", tenant="other", lang="other", region="other") == 1000
    assert generate_latest(registry).decode().count("\nmodstream_posts_decided_total{") == 3, "one an action"


def test_latency_is_from_publishing_to_the_commit(metrics: WorkerMetrics, clock: SetClock, sample: Sample) -> None:
    metrics.end_to_end("standard", "text", [int((clock.now - 0.04) * 1000), int((clock.now - 2.0) * 1000)])
    assert sample("end_to_end_seconds_bucket", lane="standard", kind="text", le="0.05") == 1
    assert sample("end_to_end_seconds_sum", lane="standard", kind="text") == pytest.approx(2.04)


def test_a_senders_clock_that_runs_ahead_does_not_falsify_the_latency(
    metrics: WorkerMetrics, clock: SetClock, sample: Sample
) -> None:
    metrics.end_to_end("urgent", "media", [int(clock.now * 1000) + 60_000])
    assert sample("end_to_end_seconds_sum", lane="urgent", kind="media") == 0
    assert sample("end_to_end_seconds_count", lane="urgent", kind="media") == 1


def test_a_batch_tells_its_size_its_cost_and_where_its_time_went(metrics: WorkerMetrics, sample: Sample) -> None:
    encode = metrics.stage(Stage.ENCODE)
    encode.batch(items=16, cost=800, queue_s=0.004, prepare_s=0.001, compute_s=0.04, isolated=1)
    encode.batch(items=8, cost=200, queue_s=0.002, prepare_s=0.001, compute_s=0.02)
    assert sample("batch_items_count", stage="encode") == 2
    assert sample("batch_items_sum", stage="encode") == 24
    assert sample("batch_cost_sum", stage="encode") == 1000
    assert sample("queue_seconds_sum", stage="encode") == pytest.approx(0.006)
    assert sample("prepare_seconds_sum", stage="encode") == pytest.approx(0.002)
    assert sample("compute_seconds_sum", stage="encode") == pytest.approx(0.06)
    assert sample("poison_isolated_total", stage="encode") == 1


def test_a_stage_tells_what_its_batches_may_hold(metrics: WorkerMetrics, sample: Sample) -> None:
    metrics.stage("encode").limits(items=64, cost=8_192)
    assert sample("batch_limit_items", stage="encode") == 64
    assert sample("batch_limit_cost", stage="encode") == 8192


def test_the_first_dead_letter_of_a_stage_rises_from_zero(metrics: WorkerMetrics, sample: Sample) -> None:
    metrics.stage("encode")
    assert sample("dead_letters_total", stage="encode", cause="poison") == 0
    assert sample("dead_letters_total", stage="encode", cause="transient") is None, "a cause of retries only"


def test_what_becomes_of_records_is_counted_by_stage(metrics: WorkerMetrics, sample: Sample) -> None:
    fuse = metrics.stage(Stage.FUSE)
    fuse.finished(30)
    fuse.retried("5s", 2)
    fuse.retried(IN_PLACE)
    fuse.dead_lettered(Cause.POISON)
    fuse.dead_lettered("a cause that nobody knows")
    assert sample("stage_records_total", stage="fuse") == 30
    assert sample("retries_total", stage="fuse", delay="5s") == 2
    assert sample("retries_total", stage="fuse", delay="in_place") == 1
    assert sample("dead_letters_total", stage="fuse", cause="poison") == 1
    assert sample("dead_letters_total", stage="fuse", cause="other") == 1


def test_a_stage_asked_for_again_goes_on_counting(metrics: WorkerMetrics, sample: Sample) -> None:
    metrics.stage("pack").finished(1)
    metrics.stage(Stage.PACK).finished(1)
    assert sample("stage_records_total", stage="pack") == 2


def test_modalities_fail_by_code_and_never_by_sentence(metrics: WorkerMetrics, sample: Sample) -> None:
    metrics.modality_failed("image", "undecodable", 2)
    metrics.modality_failed("image", "cannot identify image file <_io.BytesIO at 0x7f>")
    assert sample("modality_failures_total", modality="image", code="undecodable") == 2
    assert sample("modality_failures_total", modality="image", code="other") == 1


def test_the_oldest_message_ages_between_scrapes_also_when_the_loop_hangs(
    metrics: WorkerMetrics, clock: SetClock, sample: Sample
) -> None:
    assert sample("oldest_ticket_age_seconds") == 0
    metrics.oldest_ticket(clock.now)
    clock.now += 12.5
    assert sample("oldest_ticket_age_seconds") == 12.5
    metrics.oldest_ticket(None)
    assert sample("oldest_ticket_age_seconds") == 0


def test_lag_is_told_in_messages_and_in_seconds(metrics: WorkerMetrics, clock: SetClock, sample: Sample) -> None:
    where = {"topic": "moderation.posts", "partition": "3"}
    metrics.lag("moderation.posts", 3, 42, int(clock.now * 1000) - 5_000)
    clock.now += 1
    assert sample("lag_messages", **where) == 42
    assert sample("lag_seconds", **where) == 6
    metrics.lag("moderation.posts", 3, 0, None)
    assert sample("lag_messages", **where) == 0
    assert sample("lag_seconds", **where) == 0


def test_what_waits_on_a_paused_partition_ages_from_when_it_was_first_seen(
    metrics: WorkerMetrics, clock: SetClock, sample: Sample
) -> None:
    where = {"topic": "moderation.posts", "partition": "3"}
    metrics.lag("moderation.posts", 3, 5, None, 100)
    clock.now += 60
    metrics.lag("moderation.posts", 3, 9, None, 100)
    assert sample("lag_seconds", **where) == 60
    clock.now += 1
    metrics.lag("moderation.posts", 3, 4, None, 105)
    assert sample("lag_seconds", **where) == 0, "others wait now, and nobody knows since when"
    metrics.lag("moderation.posts", 3, 0, None, 109)
    clock.now += 60
    assert sample("lag_seconds", **where) == 0


def test_a_partition_that_went_to_another_worker_is_no_longer_told_of(metrics: WorkerMetrics, sample: Sample) -> None:
    metrics.lag("t", 0, 7, None)
    metrics.lag("t", 1, 8, None)
    metrics.forget_partition("t", 0)
    metrics.forget_partition("never", 9)
    assert sample("lag_messages", topic="t", partition="0") is None
    assert sample("lag_seconds", topic="t", partition="0") is None
    assert sample("lag_messages", topic="t", partition="1") == 8


def test_a_partition_that_comes_back_is_told_of_again(metrics: WorkerMetrics, clock: SetClock, sample: Sample) -> None:
    metrics.lag("t", 0, 7, None)
    metrics.forget_partition("t", 0)
    metrics.lag("t", 0, 1, int(clock.now * 1000) - 2_000)
    assert sample("lag_messages", topic="t", partition="0") == 1
    assert sample("lag_seconds", topic="t", partition="0") == 2


def test_transactions_and_rebalances_are_there_before_they_happen(metrics: WorkerMetrics, sample: Sample) -> None:
    assert [
        sample("transactions_total", outcome=outcome)
        for outcome in ("committed", "aborted", "timed_out", "lost", "fenced")
    ] == [0] * 5
    metrics.transaction("committed", 0.012)
    metrics.transaction("fenced")
    metrics.rebalanced("revoked", 0.3)
    metrics.rebalanced("lost")
    assert sample("transactions_total", outcome="committed") == 1
    assert sample("transactions_total", outcome="fenced") == 1
    assert sample("commit_seconds_count") == 1
    assert sample("rebalances_total", event="revoked") == 1
    assert sample("rebalances_total", event="assigned") == 0
    assert sample("rebalance_drain_seconds_count") == 1


def test_the_breaker_is_in_one_state_at_a_time(metrics: WorkerMetrics, sample: Sample) -> None:
    def states() -> list[float | None]:
        return [sample("breaker_state", state=state) for state in ("closed", "open", "probing")]

    assert states() == [1, 0, 0]
    metrics.breaker("probing")
    assert states() == [0, 0, 1]
    metrics.probed(succeeded=False)
    assert sample("breaker_probes_total", outcome="failed") == 1
    assert sample("breaker_probes_total", outcome="succeeded") == 0


def test_gauges_hold_the_last_value(metrics: WorkerMetrics, sample: Sample) -> None:
    metrics.in_flight("standard", 120, 34_000)
    metrics.in_flight("standard", 80, 21_000)
    metrics.in_flight("long", 2, 900)
    metrics.assigned(6)
    metrics.paused("budget", 6)
    metrics.paused("budget", 0)
    metrics.suspects(1)
    assert sample("in_flight_records", lane="standard") == 80
    assert sample("in_flight_bytes", lane="standard") == 21_000
    assert sample("in_flight_records", lane="long") == 2
    assert sample("partitions_assigned") == 6
    assert sample("partitions_paused", reason="budget") == 0
    assert sample("journal_suspects") == 1


def test_engines_outputs_and_policy_errors_are_counted(metrics: WorkerMetrics, sample: Sample) -> None:
    metrics.engine("text", "cpu").ran(runs=2, rows=64, seconds=0.5)
    metrics.produced("moderation.decisions", 12)
    metrics.policy_errors("shadow", "hate-review", 3)
    metrics.deleted(1)
    assert sample("engine_runs_total", graph="text", provider="cpu") == 2
    assert sample("engine_rows_total", graph="text", provider="cpu") == 64
    assert sample("engine_seconds_total", graph="text", provider="cpu") == 0.5
    assert sample("outputs_total", topic="moderation.decisions") == 12
    assert sample("policy_errors_total", role="shadow", rule="hate-review") == 3
    assert sample("posts_deleted_total") == 1


def test_a_policy_that_was_replaced_is_no_longer_told_of(metrics: WorkerMetrics, sample: Sample) -> None:
    metrics.running("1.2.0", pack="embedded@aa", policy="default@bb", shadow="strict@cc")
    metrics.running("1.2.0", pack="embedded@aa", policy="default@dd")
    assert sample("policy_info", policy="default@dd", role="active") == 1
    assert sample("policy_info", policy="default@bb", role="active") is None
    assert sample("policy_info", policy="strict@cc", role="shadow") is None
    assert sample("pack_info", pack="embedded@aa") == 1


def test_the_process_itself_is_measured(metrics: WorkerMetrics, registry: CollectorRegistry) -> None:
    resident = registry.get_sample_value("process_resident_memory_bytes")
    assert resident is None or resident > 0  # systems without /proc have none
