"""A worker with a shadow, on a real Kafka: its decisions are what they would be without."""

from __future__ import annotations

import json
import random
import socket
import threading
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from streams.broker import LocalBroker
from tests.delivery.cluster import Cluster, decisions, post
from tests.two_packs import Judges, write_broken_pack, write_judges

STAGES = ("ingest", "pack", "encode", "fuse", "retry")
WORDS = ("you", "are", "all", "the", "cat", "sat", "scum", "hello", "world", "good", "day", "vermin", "mat", "ü", "😀")


def posts(count: int = 60) -> list[tuple[str, dict[str, Any]]]:
    choice = random.Random(3)
    return [post(f"p-{at}", " ".join(choice.choices(WORDS, k=choice.randint(1, 60)))) for at in range(count)]


def comparable(found: list[dict[str, Any]]) -> dict[str, str]:
    """Decisions without what is another in every run: times, and the topic's name."""
    kept = [
        {name: value for name, value in decision.items() if name not in ("timings_ms", "decided_at", "source")}
        for decision in found
    ]
    assert len({decision["post_id"] for decision in kept}) == len(kept)
    return {decision["post_id"]: json.dumps(decision) for decision in kept}


@pytest.fixture(scope="module")
def judges(tmp_path_factory: pytest.TempPathFactory) -> Judges:
    return write_judges(tmp_path_factory.mktemp("judges"))


@pytest.fixture
def fresh(kafka: LocalBroker, tmp_path: Path) -> Iterator[Any]:
    """Chains that know nothing of each other."""
    made: list[Cluster] = []

    def make() -> Cluster:
        folder = tmp_path / f"{len(made)}"
        folder.mkdir()
        made.append(Cluster(kafka.bootstrap_servers, f"test-{uuid.uuid4().hex[:12]}.", folder))
        return made[-1]

    yield make
    for cluster in made:
        cluster.close()


def judged(cluster: Cluster, judges: Judges, **shadow: str) -> dict[str, str]:
    """The decisions of a worker whose shadow these variables name, which has ended in order."""
    process = cluster.spawn("one", "commands", "worker", *STAGES, **judges.environment(), **shadow)
    process.wait_ready()
    found = posts()
    cluster.publish(found)
    messages = cluster.read(cluster.topics.decisions, len(found))
    assert process.terminate() == 0, process.log.read_text()
    assert cluster.ends(cluster.topics.dead_letters) == dict.fromkeys(range(cluster.partitions), 0)
    return comparable(decisions(messages))


def test_live_decisions_are_the_same_with_a_shadow_with_one_that_fails_and_without_any(
    fresh: Any, judges: Judges, tmp_path: Path
) -> None:
    without = fresh()
    expected = judged(without, judges)
    assert not decisions(without.read(without.topics.shadow, 0))

    both = fresh()
    shadow = {"MODSTREAM_SHADOW__PACK": str(judges.other_pack), "MODSTREAM_SHADOW__POLICY": str(judges.other_policy)}
    assert judged(both, judges, **shadow) == expected
    said = decisions(both.read(both.topics.shadow, len(expected)))
    assert comparable(said).keys() == expected.keys()
    versions = {
        (each["versions"]["pack"].partition("@")[0], each["versions"]["policy"].partition("@")[0]) for each in said
    }
    assert versions == {("other", "other")}
    live = {name: json.loads(decision) for name, decision in expected.items()}
    blocked = [name for name, decision in live.items() if decision["action"] == "block"]
    assert blocked
    assert {each["action"] for each in said if each["post_id"] in blocked} == {"review"}
    assert not {each["decision_id"] for each in said} & {decision["decision_id"] for decision in live.values()}

    failing = fresh()
    assert judged(failing, judges, MODSTREAM_SHADOW__PACK=str(write_broken_pack(tmp_path / "broken"))) == expected
    assert not decisions(failing.read(failing.topics.shadow, 0))


def test_a_second_policy_on_the_same_scores_costs_no_model_and_is_told_in_the_metrics(
    cluster: Cluster, judges: Judges
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    process = cluster.spawn(
        "one",
        *("commands", "worker", *STAGES),
        **judges.environment(),
        MODSTREAM_SHADOW__POLICY=str(judges.other_policy),
        MODSTREAM_HTTP__PORT=port,
    )
    process.wait_ready()
    cluster.publish([post("p-1", "you are all scum"), post("p-2", "hello world")])
    said = decisions(cluster.read(cluster.topics.shadow, 2))
    assert {each["post_id"]: each["action"] for each in said} == {"p-1": "review", "p-2": "approve"}
    assert {each["versions"]["pack"].partition("@")[0] for each in said} == {"live"}
    wanted = (
        'modstream_shadow_actions_total{live="block",shadow="review"} 1.0',
        'modstream_shadow_actions_total{live="approve",shadow="approve"} 1.0',
        'modstream_shadow_posts_total{outcome="judged"} 2.0',
        'role="shadow"',
    )
    text = ""
    for _ in range(300):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            text = answer.read().decode()
        if all(line in text for line in wanted):
            break
        threading.Event().wait(0.1)
    assert all(line in text for line in wanted), [line for line in text.splitlines() if "shadow" in line]
    assert "shadow/text" not in text


def test_a_shadow_that_cannot_be_loaded_keeps_the_worker_from_starting_with_one_sentence(
    cluster: Cluster, judges: Judges, tmp_path: Path
) -> None:
    process = cluster.spawn(
        "one",
        *("commands", "worker", *STAGES),
        **judges.environment(),
        MODSTREAM_SHADOW__PACK=str(tmp_path / "nowhere"),
    )
    assert process.popen.wait(60) == 1
    told = process.log.read_text().strip().splitlines()
    assert len(told) == 1, told
    assert told[0].startswith("modstream: the shadow cannot be used: ")
    assert "nowhere" in told[0]
