from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from prometheus_client import Histogram as ClientHistogram
from prometheus_client.exposition import generate_latest

from streams.metrics.histogram import Histogram

BUCKETS = (0.125, 1.0, 2.5)  # sums of these are exact, in any order


def exposed(values: list[float], *, at_once: bool) -> list[str]:
    registry = CollectorRegistry()
    histogram = Histogram("seconds", "Help.", ("stage",), BUCKETS)
    registry.register(histogram)
    child = histogram.labels(("ocr",))
    if at_once:
        child.observe_many(values)
    else:
        for value in values:
            child.observe(value)
    return generate_latest(registry).decode().splitlines()


def exposed_by_the_client_library(values: list[float]) -> list[str]:
    registry = CollectorRegistry()
    child = ClientHistogram("seconds", "Help.", ("stage",), buckets=BUCKETS, registry=registry).labels("ocr")
    for value in values:
        child.observe(value)
    lines = generate_latest(registry).decode().splitlines()
    return [line for line in lines if "_created" not in line]


@given(st.lists(st.sampled_from([0.0, 0.125, 0.25, 1.0, 2.5, 3.0, 1e6])))
def test_a_batch_of_values_reads_as_the_client_librarys_own_histogram_does(values: list[float]) -> None:
    expected = exposed_by_the_client_library(values)
    assert exposed(values, at_once=True) == expected
    assert exposed(values, at_once=False) == expected


def test_values_from_several_threads_are_all_counted() -> None:
    histogram = Histogram("seconds", "Help.", ("stage",), BUCKETS)

    def observe() -> None:
        for _ in range(200):
            histogram.labels(("ocr",)).observe_many([0.05, 2.0])

    threads = [threading.Thread(target=observe) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert histogram.labels(("ocr",)).snapshot() == ([800, 0, 800, 0], pytest.approx(800 * 2.05))


@pytest.mark.parametrize("buckets", [(), (1.0, 1.0), (2.0, 1.0)])
def test_buckets_that_do_not_rise_are_refused(buckets: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="seconds: buckets must be"):
        Histogram("seconds", "Help.", (), buckets)


def test_label_values_must_fit_the_label_names() -> None:
    with pytest.raises(ValueError, match=r"seconds has the labels \['stage'\], got the values \[\]"):
        Histogram("seconds", "Help.", ("stage",), BUCKETS).labels(())
