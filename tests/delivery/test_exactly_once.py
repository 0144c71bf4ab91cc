"""Every post gets one decision, whatever happens to the workers and to the broker."""

from __future__ import annotations

import json
import random
import threading
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Message

from schemas import Stage
from streams.broker import LocalBroker
from tests.delivery.cluster import Cluster, Process, decisions, post

KEYS = 2_000
VERSIONS = 10
POSTS = KEYS * VERSIONS
KILLS = 12
OUTAGE_S = 15.0


def versions() -> Iterator[tuple[str, dict[str, object]]]:
    """Posts of which each is published several times, so that order can be seen. Every fifth has media in all its
    versions: it takes the long way, by a boundary and a stage whose items overtake each other; and every tenth the lane
    of long media too."""
    for version in range(VERSIONS):
        for key in range(KEYS):
            length = "long" if key % 10 == 0 else "short"
            yield post(f"p-{key}", f"{length}, version {version}", picture=key % 5 == 0)


def assert_one_decision_each_in_key_order(cluster: Cluster, messages: list[Message]) -> None:
    assert len(messages) == POSTS
    sources: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for message in messages:
        decision = json.loads(message.value() or b"")
        sources[decision["post_id"]].append((decision["source"]["partition"], decision["source"]["offset"]))
    assert len(sources) == KEYS
    for places in sources.values():
        assert len(places) == len(set(places)) == VERSIONS, "a decision was doubled or lost"
        assert places == sorted(places), "decisions on one post are out of order"
    assert {place for places in sources.values() for place in places} == {
        (partition, offset)
        for partition, end in cluster.ends(cluster.topics.stage(Stage.INGEST)).items()
        for offset in range(end)
    }


@pytest.mark.timeout(400)
def test_a_post_has_one_decision_though_workers_are_killed_at_random_moments(cluster: Cluster) -> None:
    rng = random.Random(20_000)
    publishing = threading.Thread(target=lambda: cluster.publish(versions()))
    publishing.start()
    workers: dict[str, Process] = {name: cluster.start(name) for name in ("one", "two")}
    waiting = threading.Event()
    for _ in range(KILLS):
        waiting.wait(rng.uniform(0.05, 2.5))  # the random moment: nothing is waited for
        name = rng.choice(sorted(workers))
        workers[name].kill()
        workers[name] = cluster.start(name)
    publishing.join()
    published = cluster.read(cluster.topics.decisions, POSTS)
    assert_one_decision_each_in_key_order(cluster, published)
    assert len(cluster.read(cluster.topics.dead_letters, 0)) == 0
    written = cluster.read(cluster.topics.decisions, POSTS, committed_only=False)
    assert len(written) >= len(published), "aborted transactions leave messages that nobody reads"


@pytest.mark.timeout(400)
def test_a_post_has_one_decision_though_the_broker_was_away(cluster: Cluster, kafka: LocalBroker) -> None:
    half = POSTS // 2
    posts = list(versions())
    for name in ("one", "two"):
        cluster.start(name)
    cluster.publish(posts[:half])
    stream = cluster.follow(cluster.topics.decisions)
    next(stream)  # in the middle of the work
    kafka.stop()
    threading.Event().wait(OUTAGE_S)  # the outage itself
    kafka.start()
    cluster.publish(posts[half:])
    assert_one_decision_each_in_key_order(cluster, cluster.read(cluster.topics.decisions, POSTS))


@pytest.mark.timeout(400)
@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_a_post_has_one_decision_while_workers_come_and_go(cluster: Cluster, protocol: str) -> None:
    publishing = threading.Thread(target=lambda: cluster.publish(versions()))
    setting = {"MODSTREAM_KAFKA__GROUP_PROTOCOL": protocol}
    cluster.start("one", **setting)
    publishing.start()
    others = [cluster.start(name, **setting) for name in ("two", "three")]
    assert [worker.terminate() for worker in others] == [0, 0]
    publishing.join()
    assert_one_decision_each_in_key_order(cluster, cluster.read(cluster.topics.decisions, POSTS))


@pytest.mark.timeout(200)
def test_stages_can_be_cut_anew_while_running(cluster: Cluster) -> None:
    fused = cluster.start("fused")
    cluster.publish(post(f"a-{at}", picture=at % 2 == 0) for at in range(500))
    cluster.start("front", ["ingest", "fetch", "asr", "pack"])
    cluster.start("back", ["ocr", "encode", "fuse"])
    assert fused.terminate() == 0
    cluster.publish(post(f"b-{at}", picture=at % 2 == 0) for at in range(500))
    found = decisions(cluster.read(cluster.topics.decisions, 1000))
    assert sorted(decision["post_id"] for decision in found) == sorted(
        [f"a-{at}" for at in range(500)] + [f"b-{at}" for at in range(500)]
    )


@pytest.mark.timeout(200)
def test_at_least_once_repeats_under_the_same_id_and_loses_nothing(cluster: Cluster) -> None:
    setting = {"MODSTREAM_DELIVERY": "at_least_once"}
    worker = cluster.start("one", **setting)
    cluster.publish(post(f"p-{at}") for at in range(3_000))
    next(cluster.follow(cluster.topics.decisions))
    worker.kill()
    cluster.start("one", **setting)
    found = decisions(cluster.read(cluster.topics.decisions, 3_000))
    assert len({decision["post_id"] for decision in found}) == 3_000
    assert len({decision["decision_id"] for decision in found}) == 3_000


@pytest.mark.timeout(120)
def test_idle_lag_reaches_zero_though_markers_take_offsets(cluster: Cluster) -> None:
    cluster.start("front", ["ingest"])
    cluster.start("back", ["pack", "encode", "fuse"])
    cluster.publish(post(f"p-{at}") for at in range(50))
    cluster.read(cluster.topics.decisions, 50)
    topic = cluster.topics.stage(Stage.PACK)
    ends = cluster.ends(topic)
    waiting = threading.Event()
    while cluster.committed(topic) != ends:
        waiting.wait(0.1)


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_a_worker_that_is_given_no_partition_is_ready_and_takes_over_when_the_other_ends(
    kafka: LocalBroker, topic_prefix: str, tmp_path: Path, protocol: str
) -> None:
    cluster = Cluster(kafka.bootstrap_servers, topic_prefix, tmp_path, partitions=1)
    try:
        first = cluster.start("one", MODSTREAM_KAFKA__GROUP_PROTOCOL=protocol)
        cluster.start("two", MODSTREAM_KAFKA__GROUP_PROTOCOL=protocol)
        first.terminate()
        cluster.publish([post("p-1")])
        assert [entry["post_id"] for entry in decisions(cluster.read(cluster.topics.decisions, 1))] == ["p-1"]
    finally:
        cluster.close()
