"""Rates and percentiles of many workers' counters."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from prometheus_client import CollectorRegistry, exposition

from console.counters import Counters
from console.exposition import DECIDED, RECORDS, STARTED, Series, read_metrics
from streams.metrics import WorkerMetrics
from streams.topology import STAGES

ENCODE = (RECORDS, "encode")


def scraped(*rounds: Mapping[str, Mapping[Series, float]], every_s: float = 1.0) -> Counters:
    counters = Counters(60, 10)
    for at, scrapes in enumerate(rounds):
        counters.took(at * every_s, scrapes)
    return counters


def test_a_rate_is_the_rise_by_the_time_over_all_workers() -> None:
    counters = scraped(
        {"a": {ENCODE: 1000}, "b": {ENCODE: 50}},
        {"a": {ENCODE: 1010}, "b": {ENCODE: 50}},
        {"a": {ENCODE: 1030}, "b": {ENCODE: 60}},
    )
    assert counters.window(2, 10).records("encode") == pytest.approx((30 + 10) / 2)


def test_only_the_window_counts() -> None:
    counters = scraped(*({"a": {ENCODE: value}} for value in (0, 100, 100, 100, 104)))
    assert counters.window(4, 2).records("encode") == pytest.approx(2.0)


def test_what_was_counted_before_the_first_look_is_no_rise() -> None:
    assert scraped({"a": {ENCODE: 10_000}}).window(0, 10).records("encode") is None
    assert scraped({"a": {ENCODE: 10_000}}, {"a": {ENCODE: 10_000}}).window(1, 10).records("encode") == 0


def test_a_restarted_worker_counts_from_zero_also_where_it_has_overtaken_its_past() -> None:
    lower = scraped({"a": {ENCODE: 500}}, {"a": {ENCODE: 20}})
    assert lower.window(1, 10).records("encode") == pytest.approx(20)
    higher = scraped({"a": {ENCODE: 5, (STARTED,): 1.0}}, {"a": {ENCODE: 20, (STARTED,): 2.0}})
    assert higher.window(1, 10).records("encode") == pytest.approx(20)


def test_a_worker_that_does_not_answer_for_a_moment_loses_nothing_and_a_new_one_adds_no_leap() -> None:
    counters = scraped(
        {"a": {ENCODE: 10}, "b": {ENCODE: 0}},
        {"b": {ENCODE: 1}},
        {"a": {ENCODE: 30}, "b": {ENCODE: 1}, "c": {ENCODE: 900}},
    )
    assert counters.window(2, 10).records("encode") == pytest.approx(21 / 2)


def test_a_worker_that_was_away_for_longer_than_the_window_adds_no_leap_when_it_comes_back() -> None:
    away = [{"b": {ENCODE: 1}}] * 30
    counters = scraped({"a": {ENCODE: 0}, "b": {ENCODE: 1}}, *away, {"a": {ENCODE: 6_000}, "b": {ENCODE: 1}})
    assert counters.window(31, 10).records("encode") == 0
    counters.took(32, {"a": {ENCODE: 6_020}, "b": {ENCODE: 1}})
    assert counters.window(32, 10).records("encode") == pytest.approx(2.0)


def test_workers_that_are_gone_are_not_held() -> None:
    counters = scraped(*({f"pod-{number}": {ENCODE: 1}} for number in range(100)))
    assert len(counters._last) <= 11


def test_what_nobody_measured_is_nothing_and_not_zero() -> None:
    silent = Counters(60, 10).window(5, 10)
    assert silent.records("encode") is None
    assert silent.decided("fuse") is None
    assert silent.latency(None, 0.5) is None
    assert silent.batch_mean("encode") is None
    gone = scraped({"a": {ENCODE: 1}}, {"a": {ENCODE: 2}})
    assert gone.window(1, 10).records("encode") == 1
    assert gone.window(100, 10).records("encode") is None  # nobody has answered for the whole window


def test_a_worker_that_has_decided_nothing_yet_is_measured_all_the_same() -> None:
    fuse = (RECORDS, "fuse")
    assert scraped({"a": {fuse: 0}}, {"a": {fuse: 0}}).window(1, 10).decided("fuse") == 0
    assert scraped({"a": {fuse: 0}}, {"a": {fuse: 3, (DECIDED, "block"): 3}}).window(1, 10).decided("fuse") == 3


def test_a_worker_that_invents_series_without_end_is_bounded() -> None:
    counters = Counters(60, 10)
    for at in range(6):
        counters.took(at, {"a": {(RECORDS, f"{at}-{number}"): 1.0 for number in range(5_000)}})
    assert len(counters._totals) == 20_000


def text_of(registry: CollectorRegistry) -> str:
    return exposition.generate_latest(registry).decode()


def test_what_is_shown_is_what_a_real_workers_metrics_say() -> None:
    metrics = WorkerMetrics()
    stage = metrics.stage("encode")
    counters = Counters(60, 10)
    counters.took(0, {"a": read_metrics(text_of(metrics.registry))})
    stage.finished(24)
    for queue_s in (0.02, 0.04, 0.2, 0.2):
        stage.batch(items=6, cost=1, queue_s=queue_s, prepare_s=0.0, compute_s=0.3)
    counters.took(8, {"a": read_metrics(text_of(metrics.registry))})
    window = counters.window(8, 60)
    assert window.records("encode") == pytest.approx(3.0)
    assert window.batch_mean("encode") == pytest.approx(6.0)
    assert window.compute("encode", 0.5) == pytest.approx(0.25 + 0.25 * 0.5)  # between 0.25 and 0.5 s
    assert window.queue("encode", 0.5) == pytest.approx(0.05)
    assert all(window.records(name) is None for name in STAGES if name != "encode")
