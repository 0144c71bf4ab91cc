"""The chain decides alike without Kafka, in one worker, and with one worker per stage."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from streams.broker import LocalBroker
from streams.topology import STAGES
from tests.delivery.cluster import ALL, Cluster, decisions

POSTS: list[dict[str, Any]] = [
    {"post_id": "plain", "text": "What a lovely day, thank you all for coming to the park."},
    {"post_id": "insult", "text": "You are a stupid idiot and everybody knows it"},
    {"post_id": "german", "text": "Das war ein sehr schöner Abend mit euch allen, danke!"},
    {"post_id": "masked", "text": "hey @somebody look at https://example.org/a?b=c you stup1d i d i o t"},
    {"post_id": "long", "text": "This is a perfectly ordinary sentence about gardens. " * 120},
    {"post_id": "reply", "text": "I do not agree with that at all.", "context": {"parent_text": "You are an idiot"}},
    {"post_id": "titled", "text": "see below", "context": {"title": "What idiots they are"}},
    {"post_id": "emoji", "text": "😀😀😀"},
    {"post_id": "zero-width", "text": "\u200b\u200d"},
    {"post_id": "greek", "text": "Καλημέρα σε όλους, τι όμορφη μέρα σήμερα!"},
    {
        "post_id": "picture",
        "text": "look",
        "media": [{"media_id": "m", "kind": "image", "uri": "https://example.org/a"}],
    },
    {"post_id": "tenant", "text": "You are a stupid idiot", "tenant": "acme", "region": "EU", "lang": "en"},
    *(
        {"post_id": f"many-{at}", "text": f"Number {at} is a short post " + "and goes on " * (at % 9)}
        for at in range(40)
    ),
]


@pytest.fixture
def two_clusters(kafka: LocalBroker, topic_prefix: str, tmp_path: Path) -> Iterator[tuple[Cluster, Cluster]]:
    folders = tmp_path / "fused", tmp_path / "split"
    made: list[Cluster] = []
    for folder in folders:
        folder.mkdir()
        made.append(Cluster(kafka.bootstrap_servers, f"{topic_prefix}{folder.name}.", folder))
    yield made[0], made[1]
    for cluster in made:
        cluster.close()


def comparable(decision: dict[str, Any]) -> dict[str, Any]:
    """What is a function of post, pack and policy."""
    return {name: value for name, value in decision.items() if name not in {"source", "timings_ms", "decided_at"}}


def by_post(found: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {decision["post_id"]: comparable(decision) for decision in found}


@pytest.mark.timeout(300)
def test_score_a_fused_worker_and_one_worker_per_stage_decide_alike(
    two_clusters: tuple[Cluster, Cluster], tmp_path: Path
) -> None:
    lines = [json.dumps({"schema": "post/1", **post}) for post in POSTS]
    (tmp_path / "posts.jsonl").write_text("\n".join(lines) + "\n")
    answer = subprocess.run(
        [sys.executable, "-m", "commands", "score", str(tmp_path / "posts.jsonl")],
        env={**os.environ, "MODSTREAM_WORKER__CPU_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    scored = [json.loads(line) for line in answer.stdout.splitlines()]
    assert [decision["post_id"] for decision in scored] == [post["post_id"] for post in POSTS], "in input order"

    fused, split = two_clusters
    workers = [fused.spawn("fused", "commands", "worker", *ALL)]
    workers += [split.spawn(stage.value, "commands", "worker", stage.value) for stage in STAGES]
    for worker in workers:
        worker.wait_ready()
    for cluster in two_clusters:
        cluster.publish((post["post_id"], line.encode()) for post, line in zip(POSTS, lines, strict=True))
    expected = by_post(scored)
    for cluster in two_clusters:
        assert by_post(decisions(cluster.read(cluster.topics.decisions, len(POSTS)))) == expected
    for cluster in two_clusters:
        confidence = [
            json.loads(message.value() or b"") for message in cluster.read(cluster.topics.confidence, len(POSTS))
        ]
        assert {entry["decision_id"] for entry in confidence} == {entry["decision_id"] for entry in expected.values()}
        wanted = sum(len(decision["flags"]) for decision in expected.values())
        assert len(cluster.read(cluster.topics.flags, wanted)) == wanted
