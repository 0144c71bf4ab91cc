"""Posts with pictures on real Kafka: none is lost, doubled, or approved unread, whatever servers and stores do."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Message, Producer
from msgspec.structs import replace

from schemas import Stage
from tests.delivery.cluster import ALL, Cluster, Process, alive, decisions
from tests.delivery.media_server import MediaServer
from tests.delivery.test_failure_table import get, headers, port_of, wait_until
from tests.drawn import drawn

FETCHING = {"LIGHT_CHAIN_REAL": "fetch"}
"""A real fetch stage, with its decoders and its store, in a chain that has nothing to compute."""

PATIENT = {"MODSTREAM_MEDIA__FETCH_TIMEOUT_S": "600", "MODSTREAM_WORKER__TICKET_AGE_LIMIT_S": "7200"}
"""Where a server holds an answer back until the test lets it go, only a failing test ends by this."""

DEAD = 40
"""Posts whose server never answers: twice what the breaker needs for a verdict."""

Post = tuple[str, dict[str, Any]]


@pytest.fixture
def server() -> Iterator[MediaServer]:
    with MediaServer() as made:
        yield made


def with_media(post_id: str, *uris: str, text: str | None = None, data: bytes | None = None) -> Post:
    media: list[dict[str, str]] = [
        {"media_id": f"m-{at}", "kind": "image", "uri": uri} for at, uri in enumerate(uris, start=1)
    ]
    if data is not None:
        media.append({"media_id": "m-inline", "kind": "image", "data": base64.b64encode(data).decode()})
    return post_id, {"schema": "post/1", "post_id": post_id, "text": text, "media": media}


def text_post(post_id: str) -> Post:
    return post_id, {"schema": "post/1", "post_id": post_id, "text": "hello"}


def stored(cluster: Cluster) -> set[str]:
    """Names of the objects in the store: the SHA-256 of each."""
    return {path.name for path in (cluster.folder / "store" / "objects").glob("*/*/*")}


def markers(cluster: Cluster) -> list[Path]:
    """What the store still holds of any post."""
    return [path for folder in ("refs", "posts") for path in (cluster.folder / "store" / folder).rglob("*.*")]


def wait_done(cluster: Cluster, stage: Stage, process: Process) -> None:
    """Until everything in a stage's topic is committed."""
    topic = cluster.topics.stage(stage)
    ends = cluster.ends(topic)
    wait_until(lambda: all(at >= ends[number] for number, at in _committed(cluster, topic).items()), process)


def _committed(cluster: Cluster, topic: str) -> dict[int, int]:
    """By partition; 0 where nothing is committed yet."""
    return {number: max(0, at) for number, at in cluster.committed(topic).items()}


def come_early(cluster: Cluster, waiting: Message) -> None:
    """The same message in another partition of its retry topic, due at once."""
    due = replace(headers(waiting), not_before_ms=None).to_headers()
    producer = Producer({"bootstrap.servers": cluster.bootstrap})
    partition = ((waiting.partition() or 0) + 1) % cluster.partitions
    producer.produce(waiting.topic() or "", waiting.value(), waiting.key(), partition, headers=due)  # pyright: ignore[reportArgumentType]
    assert producer.flush(30) == 0


def follow_until(cluster: Cluster, wanted: set[str]) -> set[str]:
    """The posts that were decided by the time that all of `wanted` were."""
    seen: set[str] = set()
    for message in cluster.follow(cluster.topics.decisions):
        seen.add((message.key() or b"").decode())
        if wanted <= seen:
            return seen
    raise AssertionError("unreachable")


def decided_once(cluster: Cluster, posts: set[str]) -> dict[str, dict[str, Any]]:
    """The decision on each of these posts, which are all that were published, and each decided once."""
    found = decisions(cluster.read(cluster.topics.decisions, len(posts)))
    assert sorted(decision["post_id"] for decision in found) == sorted(posts)
    return {decision["post_id"]: decision for decision in found}


@pytest.mark.timeout(120)
def test_a_picture_leaves_the_store_with_the_last_post_that_needs_it(cluster: Cluster) -> None:
    shared, own = drawn("Two posts have this"), drawn("One post has this")
    worker = cluster.start(**FETCHING)
    cluster.publish([with_media("p-1", data=shared), with_media("p-2", data=shared), with_media("p-3", data=own)])
    assert len(cluster.read(cluster.topics.decisions, 3)) == 3
    everything = stored(cluster)
    assert len(everything) == 4, "of each picture what was sent and what was made of it"

    cluster.publish([("p-1", None), ("p-3", None)])
    assert len(cluster.read(cluster.topics.decisions, 5)) == 5
    wait_until(lambda: len(stored(cluster)) == 2, worker)
    wait_done(cluster, Stage.FETCH, worker)
    assert len(stored(cluster)) == 2, "a post still needs these"

    cluster.publish([("p-2", None)])
    wait_until(lambda: not stored(cluster) and not markers(cluster), worker)
    messages = cluster.read(cluster.topics.decisions, 6)
    assert sorted((message.key() or b"").decode() for message in messages if message.value() is None) == [
        *("p-1", "p-2", "p-3")
    ]
    assert len(cluster.read(cluster.topics.dead_letters, 0)) == 0
    assert worker.terminate() == 0


@pytest.mark.timeout(120)
def test_a_later_round_of_a_delete_takes_what_was_on_its_way_at_the_first(
    cluster: Cluster, server: MediaServer
) -> None:
    worker = cluster.start(**FETCHING, **PATIENT, **server.settings)
    cluster.publish([with_media("p-1", server.serve("/slow.png", [drawn("Slow")], held=True))])
    assert server.wait_asked() == "/slow.png"
    cluster.publish([("p-1", None)])
    cluster.read(cluster.topics.decisions, 1)
    server.opened.set()
    assert [message.value() is None for message in cluster.read(cluster.topics.decisions, 2)] == [True, False]
    assert stored(cluster)
    (waiting,) = cluster.read(cluster.topics.retry("10m"), 1)
    come_early(cluster, waiting)
    messages = cluster.read(cluster.topics.decisions, 3)
    assert [message.value() is None for message in messages] == [True, False, True]
    wait_until(lambda: not stored(cluster) and not markers(cluster), worker)


@pytest.mark.timeout(180)
def test_a_post_whose_server_fails_at_first_comes_back_and_is_judged_by_what_its_picture_says(
    cluster: Cluster, server: MediaServer
) -> None:
    address = server.serve("/late.png", [503, 503, 503, drawn("Good morning everybody")])  # three tries in place
    worker = cluster.spawn("one", "commands", "worker", *ALL, **server.settings)
    worker.wait_ready()
    cluster.publish([with_media("p-1", address)])
    (waiting,) = cluster.read(cluster.topics.retry("5s"), 1)
    told = headers(waiting)
    assert (told.stage, told.attempt, told.topic) == ("fetch", 2, cluster.topics.stage(Stage.FETCH))
    assert told.reason == "fetch: m-1: 127.0.0.1 answered with status 503"
    decision = decided_once(cluster, {"p-1"})["p-1"]
    assert decision["modalities"]["ocr"]["status"] == decision["modalities"]["image"]["status"] == "ok"
    assert [entry["text"] for entry in decision["evidence"]] == ["Good morning everybody"]
    assert decision["source"]["topic"] == cluster.topics.stage(Stage.INGEST)
    assert len(cluster.read(cluster.topics.dead_letters, 0)) == 0


@pytest.mark.timeout(180)
def test_servers_that_never_answer_are_reviewed_when_their_attempts_are_used_up_and_never_pause_the_worker(
    cluster: Cluster, server: MediaServer
) -> None:
    limits = {"MODSTREAM_RETRY__MAX_ATTEMPTS": "2", "MODSTREAM_MEDIA__FETCH_TIMEOUT_S": "0.5"}
    worker = cluster.start(**FETCHING, **limits, **server.settings)
    address = server.serve("/never.png", [b""], held=True)
    names = {f"p-{at}" for at in range(DEAD)}
    cluster.publish(with_media(name, address, text="hello") for name in sorted(names))
    found = decided_once(cluster, names)
    assert {decision["action"] for decision in found.values()} == {"review"}
    assert {decision["modalities"]["image"]["status"] for decision in found.values()} == {"failed"}
    assert {decision["modalities"]["image"]["reason"] for decision in found.values()} == {
        "m-1: it took longer than 0.5 s (media.fetch_timeout_s)"
    }
    assert len(cluster.read(cluster.topics.retry("5s"), DEAD)) == DEAD, "each was tried once more"
    assert len(cluster.read(cluster.topics.dead_letters, 0)) == 0
    code, ready = get(port_of(worker), "/ready")
    assert code == 200, ready
    assert "paused" not in worker.log.read_text(), "the breaker has never opened"


@pytest.mark.timeout(120)
def test_a_slow_download_holds_up_only_what_is_behind_it_in_its_own_partition(
    cluster: Cluster, server: MediaServer
) -> None:
    cluster.start(**FETCHING, **PATIENT, **server.settings)
    slow = server.serve("/slow.png", [drawn("Slow")], held=True)
    quick = server.serve("/quick.png", [drawn("Quick")])
    cluster.publish([with_media("slow", slow)])
    assert server.wait_asked() == "/slow.png"

    texts = {f"text-{at}" for at in range(20)}
    pictures = {f"picture-{at}" for at in range(20)}
    cluster.publish([*map(text_post, sorted(texts)), *(with_media(name, quick) for name in sorted(pictures))])
    places = {
        (message.key() or b"").decode(): message.partition()
        for message in cluster.read(cluster.topics.stage(Stage.FETCH), 21)
    }
    behind = {name for name in pictures if places[name] == places["slow"]}
    assert behind
    assert pictures - behind
    beside = texts | (pictures - behind)
    assert follow_until(cluster, beside) == beside

    server.opened.set()
    decided_once(cluster, texts | pictures | {"slow"})


@pytest.mark.timeout(180)
def test_a_worker_killed_in_the_middle_of_a_download_leaves_each_post_one_decision_and_no_decoder(
    cluster: Cluster, server: MediaServer
) -> None:
    settings = {**FETCHING, **PATIENT, **server.settings}
    slow = server.serve("/slow.png", [drawn("Slow")], held=True)
    quick = server.serve("/quick.png", [drawn("Quick")])
    first = cluster.start(**settings)
    cluster.publish([with_media("early", quick)])
    follow_until(cluster, {"early"})
    decoders = first.children()
    assert decoders
    assert server.wait_asked() == "/quick.png"
    cluster.publish([with_media("slow", slow), with_media("late", quick)])
    while server.wait_asked() != "/slow.png":
        pass
    first.kill()
    second = cluster.start(**settings)
    while server.wait_asked() != "/slow.png":
        pass  # it is begun again
    wait_until(lambda: not any(map(alive, decoders)), second)
    server.opened.set()
    found = decided_once(cluster, {"early", "slow", "late"})
    assert {decision["action"] for decision in found.values()} == {"approve"}, "each could be read in the end"
    assert len(cluster.read(cluster.topics.dead_letters, 0)) == 0


@pytest.mark.timeout(120)
def test_posts_wait_while_the_store_is_away_and_are_decided_once_it_is_back(cluster: Cluster) -> None:
    store = cluster.folder / "store"
    worker = cluster.start(**FETCHING)
    store.write_bytes(b"")  # nothing can be made below a file
    names = {f"p-{at}" for at in range(5)}
    cluster.publish(with_media(name, data=drawn(name)) for name in sorted(names))
    cluster.publish([text_post("text")])
    told = [headers(message) for message in cluster.read(cluster.topics.retry("5s"), 5)]
    assert {entry.stage for entry in told} == {"fetch"}
    assert all("the media store" in (entry.reason or "") for entry in told), told
    assert follow_until(cluster, {"text"}) == {"text"}, "posts without media do not need it"
    store.unlink()
    found = decided_once(cluster, {*names, "text"})
    assert {decision["action"] for decision in found.values()} == {"approve"}
    assert stored(cluster)
    assert worker.terminate() == 0


@pytest.mark.timeout(120)
def test_a_store_that_stays_away_makes_dead_letters_and_never_a_decision(cluster: Cluster) -> None:
    cluster.start(**FETCHING, MODSTREAM_RETRY__MAX_ATTEMPTS="0")
    (cluster.folder / "store").write_bytes(b"")
    cluster.publish([with_media("p-1", data=drawn("Unread"))])
    (letter,) = cluster.read(cluster.topics.dead_letters, 1)
    told = headers(letter)
    assert (told.cause, told.stage, told.attempt) == ("retries_exhausted", "fetch", 1)
    assert "the media store" in (told.reason or "")
    assert len(cluster.read(cluster.topics.decisions, 0)) == 0


@pytest.mark.timeout(180)
@pytest.mark.parametrize(
    "lose",
    [lambda path: path.unlink(), lambda path: path.write_bytes(b"something else")],
    ids=["removed", "damaged"],
)
def test_a_picture_that_is_gone_before_it_is_read_is_reviewed(cluster: Cluster, lose: Callable[[Path], None]) -> None:
    front = cluster.start("front", ["ingest", "fetch"], LIGHT_CHAIN_REAL="ingest fetch")
    cluster.publish([with_media("p-1", data=drawn("Now you see me"), text="What a lovely day in the park.")])
    assert len(cluster.read(cluster.topics.stage(Stage.OCR), 1)) == 1
    assert front.terminate() == 0
    for path in (cluster.folder / "store" / "objects").glob("*/*/*"):
        lose(path)
    back = cluster.spawn("back", "commands", "worker", "ocr", "pack", "encode", "fuse")
    back.wait_ready()
    decision = decided_once(cluster, {"p-1"})["p-1"]
    assert decision["action"] == "review"
    assert [decision["modalities"][name]["status"] for name in ("text", "ocr", "image")] == ["ok", "failed", "failed"]
