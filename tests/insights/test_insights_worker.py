"""`modstream insights` on the real Kafka: what it publishes is what a recomputation over the same messages says."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import pytest

from streams.broker import LocalBroker
from streams.insights import Message, Source, recompute
from tests.counted import traffic
from tests.delivery.cluster import Cluster, decisions, post
from tests.insights.conftest import INSIGHTS, METRICS, PARTITIONS, Insighted, until

pytestmark = pytest.mark.timeout(300)
"""Processes that start, die and wait for each other's sessions to end."""


def an_hour_ago() -> int:
    """In milliseconds, at the start of a window of any length that is used here."""
    reference_ms = INSIGHTS.reference_s * 1000
    return (int(time.time() * 1000) - 3_600_000) // reference_ms * reference_ms


def test_what_was_committed_counts_and_nothing_else(insighted: Insighted) -> None:
    start_ms = an_hour_ago()
    messages = list(traffic(100, start_ms=start_ms, span_ms=240_000))
    insighted.publish(messages)
    aborted = list(traffic(30, start_ms=start_ms, span_ms=240_000, seed=8))
    with insighted.transaction(aborted, commit=False):
        pass
    # The end of a transaction takes an offset: with one at its end, a partition is read to its end all the same.
    late = list(traffic(50, start_ms=start_ms + 240_000, span_ms=60_000, seed=9))
    with insighted.transaction(late, commit=True):
        pass
    insighted.publish(
        Message(source, 0, 0, start_ms + 300_000, value)
        for source in (Source.DECISIONS, Source.FLAGS, Source.POSTS)
        for value in (b"{not ours", None)
    )
    worker = insighted.start()
    expected = recompute([*messages, *late], INSIGHTS, METRICS)
    assert {insight.kind for insight in expected.values()} == {
        *("decisions", "drift", "confidence", "flags", "dead_letters", "floods")
    }
    insighted.wait_for(expected)
    assert worker.stop() == 0


def test_totals_hold_with_two_workers(insighted: Insighted) -> None:
    messages = list(traffic(200, start_ms=an_hour_ago(), span_ms=120_000))
    # Nobody can read what follows before both have their share; and no window closes over an open transaction.
    with insighted.transaction(messages, commit=True):
        workers = [insighted.start(), insighted.start()]
        for worker in workers:
            worker.wait_ready()
        until(lambda: len(found := insighted.members()) == 2 and all(found.values()), lambda: str(insighted.members()))
        assert not insighted.insights()
    insighted.wait_for(recompute(messages, INSIGHTS, METRICS))
    shares = insighted.members().values()
    for topic in (insighted.topics.grouped, *insighted.topics.sources()):
        assert sum(len({place for place in share if place[0] == topic}) for share in shares) == PARTITIONS
        assert all(any(place[0] == topic for place in share) for share in shares)
    assert [worker.stop() for worker in workers] == [0, 0]


def test_a_killed_worker_counts_nothing_twice_and_loses_nothing(insighted: Insighted) -> None:
    start_ms = an_hour_ago()
    few = traffic(50, start_ms=start_ms, span_ms=200_000)
    many = traffic(1_500, start_ms=start_ms, span_ms=200_000, topics=(Source.DECISIONS,), seed=8)
    messages = [message for message in few if message.source is not Source.DECISIONS] + list(many)
    insighted.publish(messages)

    worker = insighted.start()
    until(lambda: insighted.size(insighted.topics.grouped) > 500, lambda: str(insighted.said()))
    worker.kill()  # nearly always before it has read all; where it was quicker than we, the second kill still counts

    insighted.start().kill()  # while it catches up

    insighted.start()
    insighted.wait_for(recompute(messages, INSIGHTS, METRICS))


def test_decisions_are_the_same_with_an_insights_worker_that_is_killed(
    kafka: LocalBroker, topic_prefix: str, tmp_path: Path
) -> None:
    cluster = Cluster(kafka.bootstrap_servers, topic_prefix, tmp_path)
    try:
        insights = cluster.spawn(
            "insights", "commands", "insights", MODSTREAM_INSIGHTS__WINDOW_S="1", MODSTREAM_INSIGHTS__GRACE_S="0"
        )
        worker = cluster.start()
        insights.wait_ready()
        cluster.publish(post(f"before-{number}") for number in range(200))
        assert cluster.read(cluster.topics.insights, 1)  # it counts what the chain decides
        insights.kill()
        cluster.publish(post(f"after-{number}") for number in range(200))
        found = decisions(cluster.read(cluster.topics.decisions, 400))
        assert Counter(decision["post_id"] for decision in found) == Counter(
            f"{when}-{number}" for when in ("before", "after") for number in range(200)
        )
        assert {decision["action"] for decision in found} == {"approve"}
        assert cluster.read(cluster.topics.dead_letters, 0) == []
        assert worker.terminate() == 0
    finally:
        cluster.close()
