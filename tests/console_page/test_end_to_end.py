"""The page before a real chain: real Kafka, real workers with a tiny pack, the real server, a real browser."""

from __future__ import annotations

import json
import socket
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from streams.broker import LocalBroker
from tests.console_page.conftest import Open
from tests.console_page.watched import expect, marked, show_content
from tests.delivery.cluster import Cluster, post
from tests.tiny_pack import write_tiny_pack

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]

PATIENCE_MS = 90_000
"""For what workers have to do first; only a failing test waits that long."""

TEXT = "good day 🙂🤦🏽‍♀️ you are all scum and vermin"
POSTS = 200


@pytest.fixture
def cluster(kafka: LocalBroker, topic_prefix: str, tmp_path: Path) -> Iterator[Cluster]:
    made = Cluster(kafka.bootstrap_servers, topic_prefix, tmp_path)
    yield made
    made.close()


def free_port() -> str:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return str(taken.getsockname()[1])


def asked(console: str, path: str) -> Any:
    """An answer of the console's API."""
    with urllib.request.urlopen(f"{console}api/{path}") as answer:  # noqa: S310
        return json.load(answer)


def decided(port: str) -> float:
    """Posts that a worker says it decided."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        lines = answer.read().decode().splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith("modstream_posts_decided_total{"))


def test_posts_flow_a_stopped_stage_is_seen_and_a_posts_evidence_shows(
    cluster: Cluster, open_page: Open, tmp_path: Path
) -> None:
    pack = {"MODSTREAM_PACK": str(write_tiny_pack(tmp_path / "tiny"))}
    ports = [free_port(), free_port()]
    before = cluster.spawn(
        "before", "commands", "worker", "ingest", "fetch", "ocr", "asr", "pack", MODSTREAM_HTTP__PORT=ports[0], **pack
    )
    behind = cluster.spawn(
        "behind", "commands", "worker", "encode", "fuse", "retry", MODSTREAM_HTTP__PORT=ports[1], **pack
    )
    before.wait_ready()
    behind.wait_ready()
    console = cluster.spawn(
        "console",
        "commands",
        "console",
        MODSTREAM_CONSOLE__PORT="0",
        MODSTREAM_CONSOLE__LAG_INTERVAL_S="0.5",
        MODSTREAM_CONSOLE__SCRAPE_INTERVAL_S="0.2",
        MODSTREAM_CONSOLE__RATE_WINDOW_S="300",
        MODSTREAM_CONSOLE__WORKERS=",".join(f"http://127.0.0.1:{port}" for port in ports),
    )
    assert console.popen.stdout is not None
    url = console.popen.stdout.readline().removeprefix("console: ").strip() + "/"
    console.wait_ready()
    watched = open_page(url)
    page = watched.page
    expect(page.locator("[data-tile='Workers'] .tile-value")).to_have_text("2 of 2", timeout=PATIENCE_MS)
    page.wait_for_function(
        "() => Number(document.querySelector('[data-tile=Decided]')?.dataset.value || NaN) === 0", timeout=PATIENCE_MS
    )

    # Posts flow: the page's rate, times the interval that it is of, is what the workers' own counter rose by. The
    # window begins before the posts, so the interval's length is rise / rate, and grows as the clock does.
    cluster.publish([post(f"p-{number}") for number in range(POSTS - 1)])
    cluster.publish([("p-evil", {"post_id": "p-evil", "text": TEXT})])
    cluster.read(cluster.topics.decisions, POSTS)
    assert decided(ports[1]) == POSTS
    settled = """() => {
      const value = (tile) => Number(document.querySelector(`[data-tile="${tile}"]`).dataset.value || NaN);
      const now = [Number(document.querySelector(".at-overview").dataset.at), value("Posts in"), value("Decided")];
      return now[1] > 0 && now[1] === now[2] ? now : null;
    }"""
    began, _, first = page.wait_for_function(settled, timeout=PATIENCE_MS).json_value()
    page.wait_for_function(
        "(at) => Number(document.querySelector('.at-overview').dataset.at) >= at + 8000", arg=began, timeout=PATIENCE_MS
    )
    ended, _, second = page.wait_for_function(settled, timeout=PATIENCE_MS).json_value()
    assert (ended - began) / 1000 / (1 / second - 1 / first) == pytest.approx(POSTS, rel=0.08)
    mix = page.locator(".mix-list [data-field='count']").evaluate_all(
        "(counts) => counts.map((count) => Number(count.dataset.value))"
    )
    assert sum(mix) == POSTS
    expect(page.locator("#stream li").first).to_be_visible()

    # A stopped stage's lag grows.
    assert behind.terminate() == 0
    for burst in range(6):
        cluster.publish([post(f"q-{burst}-{number}") for number in range(10)])
    row = page.locator(".stages tr[data-stage='encode']")
    expect(row.locator(".growing")).to_be_visible(timeout=PATIENCE_MS)
    lag = row.locator("[data-field='lag_messages']").element_handle()
    page.wait_for_function("(lag) => Number(lag.dataset.value) >= 60", arg=lag)
    (encode,) = (stage for stage in asked(url, "state")["stages"] if stage["stage"] == "encode")
    expect(row.locator("[data-field='lag_messages']")).to_have_attribute("data-value", str(encode["lag_messages"]))
    expect(page.locator(".notices")).to_contain_text("Lag is growing at encode.")
    expect(page.locator("[data-tile='Workers'] .tile-value")).to_have_text("1 of 2")

    # A post's evidence is where the decision says.
    page.keyboard.press("/")
    page.keyboard.type("p-evil")
    page.keyboard.press("Enter")
    expect(page.locator(".veil.is-down")).to_have_count(1)
    show_content(page)
    decision = asked(url, "posts/p-evil")["decision"]
    spans = [(index, piece["span"]) for index, piece in enumerate(decision["evidence"]) if "span" in piece]
    assert spans
    words = page.locator(".words[data-field='text']")
    expect(words).to_be_visible()
    for index, (start, end) in spans:
        assert marked(words, index) == TEXT[start:end]

    # What a reviewer says reaches its topic.
    page.keyboard.press("b")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#feedback-history li")).to_have_count(1, timeout=PATIENCE_MS)
    (message,) = cluster.read(cluster.topics.feedback, 1)
    said = json.loads(message.value() or b"")
    assert (said["decision_id"], said["verdict"], said["reviewer"]) == (decision["decision_id"], "block", "local")
    assert watched.violations() == []
