"""What the dashboards ask, a real Prometheus can answer: it scrapes a running chain, to which everything happens."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from streams.broker import LocalBroker
from streams.watch.dashboards import DASHBOARDS
from streams.watch.foreign import GPU
from streams.watch.panels import INTERVAL
from streams.watch.recording import DRIFT
from tests.delivery.cluster import Cluster, Process
from tests.infra_tools.scraper import Prometheus, free_port

pytestmark = pytest.mark.infra

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
DEFAULT_POLICY = ROOT / "policies" / "default.yaml"
PATIENCE_S = 240.0

WITHOUT_DATA = {
    **{spec.name: "no machine of the tests has a GPU, or the exporter of its metrics" for spec in GPU},
    DRIFT.name: "compares with the day before, which a test does not have; promtool's tests do",
}
"""Queries that hold one of these are the only ones that may have no answer."""

FINE = "The strawberries this week are unreal"
FAILING_RULE = f"""\
      fails-on-one-length:
        when: 1 / (int(features.chars) - {len(FINE)}) > 1000
        action: review
        code: fails
        message:
          en: This rule divides by zero.
"""


LOWER_THRESHOLD = """\
    thresholds: {insult: 0.01}
"""
"""So that the shadow raises a flag that the live policy does not."""


@pytest.fixture
def cluster(kafka: LocalBroker, topic_prefix: str, tmp_path: Path) -> Iterator[Cluster]:
    made = Cluster(kafka.bootstrap_servers, topic_prefix, tmp_path)
    yield made
    made.close()


def worker(cluster: Cluster, name: str, port: int, stages: str, policy: Path, shadow: Path) -> Process:
    settings = {
        "MODSTREAM_POLICY": str(policy),
        "MODSTREAM_MEDIA__FILE_ROOTS": str(EXAMPLES),
        "MODSTREAM_MEDIA__ALLOW_HTTP": "true",
        "MODSTREAM_MEDIA__ALLOWED_NETWORKS": "127.0.0.0/8",
        "MODSTREAM_MEDIA__ALLOWED_PORTS": "1",
        "MODSTREAM_METRICS__REGIONS": "EU",
        "MODSTREAM_SHADOW__POLICY": str(shadow),
        "MODSTREAM_CANARY__POLICY": str(DEFAULT_POLICY),
        "MODSTREAM_CANARY__SHARE": "0.3",
    }
    arguments = ("worker", *stages.split(), f"--http-port={port}")
    return cluster.spawn(name, "commands", *arguments, **settings)


def posts(turn: int) -> list[tuple[str, dict[str, Any] | bytes | None]]:
    """Something of everything: languages, regions, pictures, sound, what cannot be read, is no post, or is deleted."""

    def post(name: str, text: str, *media: tuple[str, str], **more: str) -> tuple[str, dict[str, Any]]:
        entries = [{"media_id": f"m-{at}", "kind": kind, "uri": uri} for at, (kind, uri) in enumerate(media)]
        post_id = f"{name}-{turn}"
        return post_id, {"post_id": post_id, "text": text, **({"media": entries} if entries else {}), **more}

    def example(path: str) -> str:
        return (EXAMPLES / path).as_uri()

    return [
        *(post(f"fine-{number}", FINE) for number in range(20)),
        *(post(f"rude-{number}", "You are a complete idiot. Shut up.", region="EU") for number in range(5)),
        post("urgent", "I will break your legs.", priority="urgent"),
        post("german", "Weiß jemand, wann das Freibad wieder aufmacht?", region="EU", lang="de"),
        post("picture", "look", ("image", example("pictures/town-sign.jpg"))),
        post("broken", "look", ("image", example("pictures/truncated.jpg"))),
        post("sound", "listen", ("audio", example("clips/spoken-insult.ogg"))),
        post("away", "look", ("image", "http://127.0.0.1:1/away.jpg")),
        (f"none-{turn}", b"{"),
        (f"fine-0-{turn - 1}", None),
    ]


def queries() -> list[str]:
    found = [
        query.expression
        for board in DASHBOARDS
        for row in board.rows
        for panel in row.panels
        for query in panel.queries
    ]
    return sorted({expression.replace(INTERVAL, "30s") for expression in found})


def has_a_reason(expression: str) -> bool:
    return any(name in expression for name in WITHOUT_DATA)


@pytest.mark.timeout(420)
def test_every_query_of_the_dashboards_has_data_while_a_chain_runs(
    cluster: Cluster, prometheus: str, tmp_path: Path
) -> None:
    policy = tmp_path / "policy.yaml"
    text = DEFAULT_POLICY.read_text(encoding="utf-8")
    policy.write_text(text.replace("    rules:\n", f"    rules:\n{FAILING_RULE}", 1), encoding="utf-8")
    shadow = tmp_path / "shadow.yaml"
    shadow.write_text(text.replace("  default:\n", f"  default:\n{LOWER_THRESHOLD}", 1), encoding="utf-8")
    ports = [free_port(), free_port()]
    first = worker(cluster, "first", ports[0], "all", policy, shadow)
    first.wait_ready()
    with Prometheus(prometheus, tmp_path, [f"127.0.0.1:{port}" for port in ports]) as scraper:
        cluster.publish(posts(0))
        # What rises before the first look at it has no rate: the rebalance must come after one.
        deadline_s = time.monotonic() + PATIENCE_S
        while not scraper.values("modstream_rebalance_drain_seconds_count"):
            assert time.monotonic() < deadline_s, "the first worker was never scraped"
        # Takes partitions from the first, so that there is a rebalance.
        second = worker(cluster, "second", ports[1], "ingest pack encode fuse", policy, shadow)
        second.wait_ready()
        wanted, turn = [query for query in queries() if not has_a_reason(query)], 0
        deadline_s = time.monotonic() + PATIENCE_S
        while wanted and time.monotonic() < deadline_s:
            turn += 1
            cluster.publish(posts(turn))
            cluster.read(cluster.topics.decisions, 28 * turn)
            wanted = [query for query in wanted if not scraper.values(query)]
        assert wanted == []

        rules = scraper.rules()
        assert {rule["health"] for rule in rules} == {"ok"}, [rule for rule in rules if rule["health"] != "ok"]
        assert scraper.values('sum(up{job="modstream"})') == [2]
    assert [first.terminate(), second.terminate()] == [0, 0]


def test_the_exceptions_are_still_needed() -> None:
    for name in WITHOUT_DATA:
        assert any(name in query for query in queries())
