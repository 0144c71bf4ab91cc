"""The console beside a real chain on the real Kafka: what a person sees is what happened."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from streams.broker import LocalBroker
from streams.broker.ports import free_port
from tests.console.conftest import OPERATOR, REVIEWER, TOKENS, VIEWER
from tests.delivery.cluster import ALL, Cluster, post

PATIENCE_S = 60.0
"""Only a failing test waits that long."""

BEFORE, BEHIND = ALL[:-3], ALL[-3:]
"""The chain in two: `encode`, `fuse` and `retry` in the second."""


@pytest.fixture
def cluster(kafka: LocalBroker, topic_prefix: str, tmp_path: Path) -> Iterator[Cluster]:
    made = Cluster(kafka.bootstrap_servers, topic_prefix, tmp_path)
    yield made
    made.close()


class Page:
    """A console process, and requests to it."""

    def __init__(self, cluster: Cluster, **settings: str) -> None:
        extra = {"MODSTREAM_CONSOLE__PORT": "0", "MODSTREAM_CONSOLE__LAG_INTERVAL_S": "0.5", **settings}
        self.process = cluster.spawn("console", "commands", "console", **extra)
        assert self.process.popen.stdout is not None
        self.url = self.process.popen.stdout.readline().removeprefix("console: ").strip()
        assert self.url, self.process.log.read_text()
        self.process.wait_ready()

    def ask(self, path: str, body: object = None, token: str | None = None) -> tuple[int, Any]:
        headers = {"X-Modstream": "1"} | ({} if token is None else {"Authorization": f"Bearer {token}"})
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def wait(self, path: str, found: Callable[[Any], object], token: str | None = None) -> Any:
        """The answer, once it is what is waited for."""
        deadline_s = time.monotonic() + PATIENCE_S
        while True:
            _, answer = self.ask(path, token=token)
            if found(answer):
                return answer
            assert time.monotonic() < deadline_s, answer


def stage(state: Any, name: str) -> Any:
    return next(row for row in state["stages"] if row["stage"] == name)


def test_a_post_its_decision_and_feedback_on_it_are_seen_by_those_who_may(cluster: Cluster) -> None:
    cluster.start()
    page = Page(cluster, MODSTREAM_CONSOLE__TOKENS=TOKENS)
    cluster.publish([post("p-1", "<b>hello</b>"), post("p-2")])
    page.wait("/api/decisions", lambda answer: len(answer["decisions"]) == 2, VIEWER)

    status, found = page.ask("/api/posts/p-1", token=REVIEWER)
    assert status == 200
    assert found["post"]["text"] == "<b>hello</b>"
    assert found["decision"]["post_id"] == found["confidence"]["post_id"] == "p-1"
    assert found["feedback"] == []
    assert page.ask("/api/posts/p-1", token=VIEWER)[1]["post"] is None
    assert page.ask("/api/posts/never", token=VIEWER)[0] == 404

    given = {"decision_id": found["decision"]["decision_id"], "post_id": "p-1", "verdict": "block"}
    forged = {**given, "reviewer": "nobody", "created_at": "1999-01-01T00:00:00Z"}
    assert page.ask("/api/feedback", given, VIEWER)[0] == 403
    status, answer = page.ask("/api/feedback", forged, REVIEWER)
    assert status == 201
    (message,) = cluster.read(cluster.topics.feedback, 1)
    published = json.loads(message.value() or b"")
    assert message.key() == b"p-1"
    assert published["feedback_id"] == answer["feedback_id"]
    assert (published["reviewer"], published["role"], published["verdict"]) == ("rita", "reviewer", "block")
    assert not published["created_at"].startswith("1999")
    (again,) = page.ask("/api/posts/p-1", token=REVIEWER)[1]["feedback"]
    assert again["feedback_id"] == answer["feedback_id"]

    cluster.publish([("p-1", None)])
    gone = page.wait("/api/posts/p-1", lambda answer: answer["deleted"], REVIEWER)
    assert gone["post"] is None
    assert [row["post_id"] for row in page.ask("/api/decisions", token=VIEWER)[1]["decisions"]] == ["p-2"]
    log = page.process.log.read_text()
    assert page.process.terminate() == 0
    assert "hello" not in log


def test_a_console_that_starts_later_knows_what_was_decided_before(cluster: Cluster) -> None:
    cluster.start()
    cluster.publish([post(f"p-{number}") for number in range(40)])
    cluster.read(cluster.topics.decisions, 40)
    page = Page(cluster, MODSTREAM_CONSOLE__KEEP="12")
    # Of each of three partitions the last four offsets, at least every other of which is a decision and no marker.
    listed = page.wait("/api/decisions", lambda answer: len(answer["decisions"]) >= 6)["decisions"]
    assert len(listed) <= 12
    assert page.ask("/api/state")[1]["decisions_seconds"] <= 300
    older = next(f"p-{number}" for number in range(40) if f"p-{number}" not in {row["post_id"] for row in listed})
    assert page.ask(f"/api/posts/{older}")[1]["decision"]["post_id"] == older  # read back from its partition


def test_the_rate_shown_is_what_the_workers_metrics_say_and_a_stopped_stage_shows_growing_lag(cluster: Cluster) -> None:
    front, back = (f"127.0.0.1:{free_port()}" for _ in range(2))
    cluster.start("one", BEFORE, MODSTREAM_HTTP__PORT=front.rsplit(":", 1)[1])
    second = cluster.start("two", BEHIND, MODSTREAM_HTTP__PORT=back.rsplit(":", 1)[1])
    workers = f"http://{front},http://{back}"
    window = {"MODSTREAM_CONSOLE__RATE_WINDOW_S": "300", "MODSTREAM_CONSOLE__SCRAPE_INTERVAL_S": "0.2"}
    page = Page(cluster, MODSTREAM_CONSOLE__WORKERS=workers, **window)
    began = page.wait("/api/state", lambda state: state["decided_per_s"] == 0.0)
    assert began["workers"] == {"up": 2, "expected": 2, "unreachable": []}
    assert [stage(began, name)["workers"] for name in ("pack", "encode")] == [1, 1]

    cluster.publish([post(f"p-{number}") for number in range(200)])
    page.wait("/api/decisions?limit=1000", lambda answer: len(answer["decisions"]) == 200)
    points = page.wait("/api/history", lambda answer: sum(filter(None, answer["actions"]["approve"])) == 200)
    assert {len(values) for name, values in points.items() if name.endswith("_s") and name != "lag_s"} == {
        len(points["at_ms"])
    }
    # The window holds everything: rate * time is what the workers' own counters rose by.
    state = page.wait(
        "/api/state", lambda state: state["posts_per_s"] and state["decided_per_s"] == state["posts_per_s"]
    )
    with urllib.request.urlopen(f"http://{back}/metrics") as answer:
        text = answer.read().decode()
    decided = sum(
        float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith("modstream_posts_decided_total{")
    )
    assert decided == 200
    assert stage(state, "encode")["records_per_s"] == stage(state, "pack")["records_per_s"] == state["decided_per_s"]
    assert state["latency"][0]["p95_s"] > 0

    assert second.terminate() == 0
    cluster.publish([post(f"q-{number}") for number in range(5)])
    behind = page.wait("/api/state", lambda state: stage(state, "encode")["lag_messages"] >= 5)
    later = page.wait(
        "/api/state", lambda state: stage(state, "encode")["lag_s"] > stage(behind, "encode")["lag_s"] + 1
    )
    assert later["workers"]["up"] == 1
    assert [address.rsplit("/", 1)[1] for address in later["workers"]["unreachable"]] == [back]
    assert stage(later, "pack")["lag_messages"] == 0
    cluster.publish([post(f"r-{number}") for number in range(5)])
    page.wait("/api/state", lambda state: stage(state, "encode")["lag_messages"] >= 10)


def test_dead_letters_are_listed_shown_and_replayed_once(cluster: Cluster) -> None:
    cluster.start()
    page = Page(cluster, MODSTREAM_CONSOLE__TOKENS=TOKENS)
    cluster.publish([("bad", b"{no post"), post("p-1", "poison"), post("fine")])
    listed = page.wait("/api/dead-letters", lambda answer: answer.get("total") == 2, OPERATOR)["dead_letters"]
    assert page.ask("/api/dead-letters", token=REVIEWER)[0] == 403
    by_cause = {row["cause"]: row for row in listed}
    assert set(by_cause) == {"invalid_post", "poison"}
    bad, poison = by_cause["invalid_post"], by_cause["poison"]
    assert (bad["post_id"], bad["replayed"]) == ("bad", False)
    assert page.ask("/api/dead-letters?cause=poison", token=OPERATOR)[1]["total"] == 1
    causes = page.ask("/api/state", token=VIEWER)[1]["dead_letters"]
    assert {(row["cause"], row["count"]) for row in causes} == {("invalid_post", 1), ("poison", 1)}

    place = f"/api/dead-letters/{bad['partition']}/{bad['offset']}"
    _, whole = page.ask(place, token=OPERATOR)
    assert (whole["value"], whole["bytes"], whole["truncated"]) == ("{no post", 8, False)
    assert whole["headers"]["modstream-cause"] == "invalid_post"
    assert page.ask("/api/dead-letters/0/99999", token=OPERATOR)[0] == 404

    places = [[poison["partition"], poison["offset"]], [0, 99999]]
    assert page.ask("/api/dead-letters/replay", {"places": places}, REVIEWER)[0] == 403
    status, answer = page.ask("/api/dead-letters/replay", {"places": places}, OPERATOR)
    assert (status, answer["replayed"]) == (200, 1)
    assert answer["failed"] == [{"place": [0, 99999], "why": "it is no longer there"}]
    page.wait("/api/dead-letters", lambda found: found["total"] == 3, OPERATOR)  # it is poison still
    _, again = page.ask("/api/dead-letters/replay", {"places": places[:1]}, OPERATOR)
    assert again["replayed"] == 0
    assert "replayed before" in again["failed"][0]["why"]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"MODSTREAM_CONSOLE__HOST": "0.0.0.0"}, "console.host = 0.0.0.0: anybody who reaches"),  # noqa: S104
        ({"MODSTREAM_CONSOLE__TOKENS": "secret"}, "console.tokens: entry 1: expected TOKEN=NAME:ROLE"),
        ({"MODSTREAM_CONSOLE__WORKERS": "ftp://here"}, "console.workers: holds 'ftp://here'"),
        ({"MODSTREAM_CONSOLE__HOST": "127.0.0.1", "MODSTREAM_CONSOLE__PORT": "PORT"}, "cannot listen there"),
        ({"MODSTREAM_TOPICS__PREFIX": "nothing-here."}, "nothing-here."),
    ],
    ids=["open to all", "tokens", "workers", "port taken", "topics"],
)
def test_a_console_that_cannot_be_says_why_in_one_sentence(
    settings: dict[str, str], said: str, cluster: Cluster
) -> None:
    taken = cluster.bootstrap.rsplit(":", 1)[1]
    settings = {name: taken if value == "PORT" else value for name, value in settings.items()}
    process = cluster.spawn("console", "commands", "console", **settings)
    assert process.popen.wait(PATIENCE_S) == 1
    last = process.log.read_text().strip().splitlines()
    assert said in last[-1]
    assert last[-1].startswith("modstream: ")
    assert "secret" not in last[-1]
    assert "Traceback" not in process.log.read_text()
