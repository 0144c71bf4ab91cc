"""A worker's log says what happened to which post, and nothing of what a post says."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.delivery.cluster import Cluster, Process, decisions, post

SECRET = "S3CR3T-a7f1"
"""Stands everywhere in these posts but in their ids."""
TRACE = "0af7651916cd43dd8448eb211c80319c"


def lines(process: Process) -> list[dict[str, Any]]:
    return [json.loads(line) for line in process.log.read_text(encoding="utf-8").splitlines()]


def hostile() -> list[tuple[str, dict[str, Any] | bytes]]:
    def media(number: int, uri: str) -> tuple[str, dict[str, Any]]:
        entry = {"media_id": SECRET, "kind": "image", "uri": uri, "alt_text": SECRET}
        return f"p-{number}", {"post_id": f"p-{number}", "text": SECRET, "media": [entry]}

    return [
        ("p-1", {"post_id": "p-1", "text": f"{SECRET}\n\x1b[2J{{"}),
        ("p-2", f'{{"post_id": "p-2", "text": "{SECRET}'.encode()),
        ("p-3", f"\xff\xfe{SECRET}".encode("latin-1")),
        ("p-4", {"post_id": "p-4", "text": {"nested": SECRET}}),
        ("p-5", {"post_id": "p-5", SECRET: SECRET, "text": "", "tenant": SECRET, "region": SECRET}),
        media(6, f"https://{SECRET}.invalid/{SECRET}.jpg"),
        media(7, f"file:///etc/{SECRET}"),
        media(8, f"http://127.0.0.1:1/{SECRET}"),
        media(9, f"https://[{SECRET}/%zz"),
        media(10, f"s3://{SECRET}/{SECRET}"),
        media(11, f"data:image/png;base64,{SECRET}"),
    ]


@pytest.mark.timeout(150)
def test_no_content_of_a_hostile_post_is_logged(cluster: Cluster) -> None:
    worker = cluster.start(LIGHT_CHAIN_REAL="ingest fetch", MODSTREAM_LOG__LEVEL="debug")
    posts = hostile()
    cluster.publish([*posts, post("last")])
    found = {message.key() for message in cluster.read(cluster.topics.decisions, 1)}
    ended = found | {message.key() for message in cluster.read(cluster.topics.dead_letters, 1)}
    assert worker.terminate() == 0
    assert b"last" in found
    assert len(ended) > len(posts) // 2, "most of them have been through the chain, one way or the other"
    assert SECRET not in worker.log.read_text(encoding="utf-8")
    assert all({"time", "level", "logger", "message"} <= line.keys() for line in lines(worker))


@pytest.mark.timeout(150)
def test_a_post_that_was_given_up_is_in_the_log_by_its_id_its_stage_and_its_trace(cluster: Cluster) -> None:
    worker = cluster.start("w-7")
    headers = [("traceparent", f"00-{TRACE}-b7ad6b7169203331-01".encode())]
    cluster.publish([post("p-1", "poison"), post("p-2", "hello")], headers=headers)
    assert [decision["post_id"] for decision in decisions(cluster.read(cluster.topics.decisions, 1))] == ["p-2"]
    (letter,) = cluster.read(cluster.topics.dead_letters, 1)
    assert b"poisonous" in b"".join(value for _, value in letter.headers() or [] if isinstance(value, bytes))
    assert worker.terminate() == 0
    (line,) = (line for line in lines(worker) if "given up" in line["message"])
    assert {name: line[name] for name in ("level", "instance", "stage", "post_id", "trace_id")} == {
        "level": "warning",
        "instance": "w-7",
        "stage": "encode",
        "post_id": "p-1",
        "trace_id": TRACE,
    }
    assert "poisonous" not in worker.log.read_text(encoding="utf-8"), "the text of the exception"
