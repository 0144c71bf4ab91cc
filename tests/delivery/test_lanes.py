"""Lanes on real Kafka: a long recording holds no short post up, and an urgent post waits for no backlog."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Message

from schemas import Stage
from streams.topology import LONG, STANDARD, URGENT
from tests.delivery.cluster import ALL, Cluster, decisions, post
from tests.delivery.test_failure_table import wait_until

Post = tuple[str, dict[str, Any]]

SHORT = f"{STANDARD},{URGENT}"
HEARING = (Stage.OCR.value, Stage.ASR.value)
"""The stages of the pool for long media."""


@pytest.fixture
def latch(tmp_path: Path) -> Path:
    """The file that lets everything go on that waits."""
    return tmp_path / "latch"


def with_latch(latch: Path, **settings: str) -> dict[str, str]:
    return {"LIGHT_CHAIN_LATCH": str(latch), **settings}


def begun(latch: Path) -> Callable[[], bool]:
    """Whether something waits at the latch."""
    return latch.with_suffix(".begun").exists


def texts(count: int, prefix: str = "text") -> list[Post]:
    return [post(f"{prefix}-{number}") for number in range(count)]


def recordings(count: int, text: str = "long") -> list[Post]:
    return [post(f"long-{number}", text, picture=True) for number in range(count)]


def ids(messages: list[Message]) -> list[str]:
    return [found["post_id"] for found in decisions(messages)]


def worked_off(cluster: Cluster, *topics: str) -> bool:
    """Whether everything in these topics is committed."""
    return all(
        at >= end or end == 0
        for topic in topics
        for at, end in zip(cluster.committed(topic).values(), cluster.ends(topic).values(), strict=True)
    )


@pytest.mark.parametrize("pools", [False, True], ids=["in one worker", "in workers of their own"])
def test_short_posts_are_decided_and_committed_while_a_long_one_is_held(
    cluster: Cluster, latch: Path, pools: bool
) -> None:
    if pools:
        cluster.start("hearing", HEARING, **with_latch(latch, MODSTREAM_WORKER__LANES=LONG))
    process = cluster.start(
        "all", ALL, **with_latch(latch, MODSTREAM_WORKER__LANES=SHORT if pools else f"{SHORT},{LONG}")
    )
    cluster.publish(recordings(1, "long wait"))
    wait_until(begun(latch), process)
    short = [*texts(200), *(post(f"picture-{number}", picture=True) for number in range(50))]
    cluster.publish(short)
    found = ids(cluster.read(cluster.topics.decisions, len(short)))
    assert sorted(found) == sorted(key for key, _ in short)
    inputs = [topic for topic, (_, lane) in cluster.topics.inputs(map(Stage, ALL)).items() if lane != LONG]
    wait_until(lambda: worked_off(cluster, *inputs), process)
    assert not worked_off(cluster, *(cluster.topics.stage(stage, LONG) for stage in (Stage.OCR, Stage.ASR)))
    latch.touch()
    assert sorted(ids(cluster.read(cluster.topics.decisions, len(short) + 1))) == sorted([*found, "long-0"])


def test_urgent_posts_are_decided_while_the_budget_of_the_others_is_used_up_and_their_stage_held(
    cluster: Cluster, latch: Path
) -> None:
    process = cluster.start("all", ALL, **with_latch(latch, MODSTREAM_WORKER__MAX_IN_FLIGHT_RECORDS="20"))
    cluster.publish([post(f"standard-{number}", "wait") for number in range(300)])
    wait_until(begun(latch), process)
    urgent = texts(30, "urgent")
    cluster.publish(urgent, topic=cluster.topics.stage(Stage.INGEST, URGENT))
    found = ids(cluster.read(cluster.topics.decisions, len(urgent)))
    assert sorted(found) == sorted(key for key, _ in urgent)
    latch.touch()
    everything = ids(cluster.read(cluster.topics.decisions, 330))
    assert len(everything) == len(set(everything)) == 330


def test_a_backlog_of_long_recordings_beyond_their_budget_is_worked_off_once_and_beside_short_posts(
    cluster: Cluster, latch: Path
) -> None:
    process = cluster.start("all", ALL, **with_latch(latch, MODSTREAM_WORKER__MAX_IN_FLIGHT_LONG="2"))
    cluster.publish(recordings(12, "long wait"))
    wait_until(begun(latch), process)
    long = recordings(80)[12:]
    cluster.publish([*long, *texts(100)])
    assert sorted(ids(cluster.read(cluster.topics.decisions, 100))) == sorted(key for key, _ in texts(100))
    latch.touch()
    everything = ids(cluster.read(cluster.topics.decisions, 180))
    assert len(everything) == len(set(everything)) == 180
    inputs = cluster.topics.inputs(map(Stage, ALL))
    wait_until(lambda: worked_off(cluster, *inputs), process)


def test_a_worker_killed_while_it_hears_a_recording_loses_and_doubles_nothing(cluster: Cluster, latch: Path) -> None:
    short = cluster.start("all", ALL, **with_latch(latch, MODSTREAM_WORKER__LANES=SHORT))
    hearing = cluster.start("hearing", HEARING, **with_latch(latch, MODSTREAM_WORKER__LANES=LONG))
    posts = [*recordings(5, "long wait"), *texts(100)]
    cluster.publish(posts)
    wait_until(begun(latch), hearing)
    hearing.kill()
    latch.touch()
    cluster.start("hearing", HEARING, **with_latch(latch, MODSTREAM_WORKER__LANES=LONG))
    found = ids(cluster.read(cluster.topics.decisions, len(posts)))
    assert sorted(found) == sorted(key for key, _ in posts)
    assert short.popen.poll() is None


@pytest.mark.parametrize("pools", [False, True], ids=["in one worker", "in workers of their own"])
def test_a_recording_that_takes_longer_than_a_shutdown_waits_is_under_no_suspicion(
    cluster: Cluster, latch: Path, pools: bool
) -> None:
    """Else three deployments in a row would make a dead letter of it. A worker that has short posts waits for no long
    ones: the short would stand still for as long."""
    name, stages, lanes, drain_s = "all", ALL, f"{SHORT},{LONG}", "3600"
    if pools:
        cluster.start("short", ALL, **with_latch(latch, MODSTREAM_WORKER__LANES=SHORT))
        name, stages, lanes, drain_s = "hearing", HEARING, str(LONG), "0"
    settings = with_latch(latch, MODSTREAM_WORKER__LANES=lanes, MODSTREAM_WORKER__DRAIN_TIMEOUT_S=drain_s)
    process = cluster.start(name, stages, **settings)
    cluster.publish(recordings(1, "long wait"))
    wait_until(begun(latch), process)
    assert process.terminate() == 0
    assert list((cluster.folder / "state").rglob(f"{name}.*.in-flight")) == []
    latch.touch()
    again = cluster.start(name, stages, **settings)
    assert ids(cluster.read(cluster.topics.decisions, 1)) == ["long-0"]
    assert again.terminate() == 0
    assert [json.loads(path.read_bytes()) for path in (cluster.folder / "state").rglob(f"{name}.crashes.json")] == [[]]
