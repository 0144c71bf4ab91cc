"""The chain decides alike without Kafka, in one worker, and with one worker per stage."""

from __future__ import annotations

import base64
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from streams.broker import LocalBroker
from tests.delivery.cluster import ALL, Cluster, decisions
from tests.delivery.test_sound_and_video import SPEECH, captioned
from tests.drawn import drawn


def inline(media_id: str, data: bytes) -> dict[str, str]:
    return {"media_id": media_id, "kind": "image", "data": base64.b64encode(data).decode()}


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
    {"post_id": "picture", "media": [inline("m", drawn("Good morning", "have a nice day"))]},
    {"post_id": "insult in a picture", "text": "look", "media": [inline("m", drawn("You are a stupid idiot"))]},
    {"post_id": "album", "media": [inline(f"m-{at}", drawn(f"Number {at}", form="JPEG")) for at in range(3)]},
    {"post_id": "broken", "text": "look", "media": [inline("m", drawn("Half of it")[:300])]},
    {"post_id": "sound", "media": [inline("m", SPEECH)]},
    {"post_id": "video", "text": "look", "media": [inline("m", captioned("Good morning", "have a nice day"))]},
    {"post_id": "inside", "media": [{"media_id": "m", "kind": "image", "uri": "https://169.254.169.254/latest"}]},
    {"post_id": "tenant", "text": "You are a stupid idiot", "tenant": "acme", "region": "EU", "lang": "en"},
    *(
        {"post_id": f"many-{at}", "text": f"Number {at} is a short post " + "and goes on " * (at % 9)}
        for at in range(40)
    ),
]


@pytest.fixture
def dead_port() -> Iterator[int]:
    """A port on loopback that refuses every connection."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


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
    two_clusters: tuple[Cluster, Cluster], tmp_path: Path, dead_port: int
) -> None:
    address = f"http://127.0.0.1:{dead_port}/a.png"
    down: dict[str, Any] = {
        "post_id": "down",
        "text": "look",
        "media": [{"media_id": "m", "kind": "image", "uri": address}],
    }
    posts = [*POSTS, down]
    fetching = {
        "MODSTREAM_MEDIA__ALLOW_HTTP": "true",
        "MODSTREAM_MEDIA__ALLOWED_NETWORKS": "127.0.0.0/8",
        "MODSTREAM_MEDIA__ALLOWED_PORTS": f"443,{dead_port}",
    }
    lines = [json.dumps({"schema": "post/1", **post}) for post in posts]
    (tmp_path / "posts.jsonl").write_text("\n".join(lines) + "\n")
    answer = subprocess.run(
        [sys.executable, "-m", "commands", "score", str(tmp_path / "posts.jsonl")],
        env={
            **os.environ,
            "MODSTREAM_WORKER__CPU_THREADS": "1",
            "MODSTREAM_STORE__URL": str(tmp_path / "store"),
            **fetching,
        },
        capture_output=True,
        text=True,
        check=True,
    )
    scored = [json.loads(line) for line in answer.stdout.splitlines()]
    assert [decision["post_id"] for decision in scored] == [post["post_id"] for post in posts], "in input order"

    status = {decision["post_id"]: decision["modalities"]["ocr"]["status"] for decision in scored}
    expected_status = {"picture": "ok", "album": "ok", "broken": "failed", "inside": "failed", "down": "failed"}
    assert {name: status[name] for name in expected_status} == expected_status
    fused, split = two_clusters
    fetching["MODSTREAM_RETRY__MAX_ATTEMPTS"] = "1"  # `score` gives up at once: the decision is the same
    workers = [fused.spawn("fused", "commands", "worker", *ALL, **fetching)]
    workers += [split.spawn(name, "commands", "worker", name, **fetching) for name in ALL]
    for worker in workers:
        worker.wait_ready()
    for cluster in two_clusters:
        cluster.publish((post["post_id"], line.encode()) for post, line in zip(posts, lines, strict=True))
    expected = by_post(scored)
    for cluster in two_clusters:
        assert by_post(decisions(cluster.read(cluster.topics.decisions, len(posts)))) == expected
    for cluster in two_clusters:
        confidence = [
            json.loads(message.value() or b"") for message in cluster.read(cluster.topics.confidence, len(posts))
        ]
        assert {entry["decision_id"] for entry in confidence} == {entry["decision_id"] for entry in expected.values()}
        wanted = sum(len(decision["flags"]) for decision in expected.values())
        assert len(cluster.read(cluster.topics.flags, wanted)) == wanted
