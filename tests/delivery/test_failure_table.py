"""Every row of the failure table, on real Kafka."""

from __future__ import annotations

import json
import re
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from confluent_kafka import Message, Producer

from schemas import DeadLetterHeaders, Record, Source, Stage, decode_post, encode_record
from streams.topology import STAGES
from tests.delivery.cluster import Cluster, Process, decisions, post

HOSTILE: dict[str, tuple[bytes, str]] = {
    "malformed": (b'{"post_id": "x", "text": ', "$"),
    "wrong type": (b'{"post_id": "x", "text": 7}', "text"),
    "wrong type within": (b'{"post_id": "x", "media": [{"media_id": "m", "kind": 3}]}', "media[0].kind"),
    "no id": (b'{"text": "hello"}', "post_id"),
    "nothing to judge": (b'{"post_id": "x"}', "text"),
    "unknown schema": (b'{"schema": "post/2", "post_id": "x", "text": "hello"}', "schema"),
    "lone surrogate": (b'{"post_id": "x", "text": "\\ud800"}', "text"),
    "no UTF-8": (b'{"post_id": "x", "text": "\xff\xfe"}', "text"),
    "deep nesting": (b'{"post_id": "x", "text": "hi", "metadata": ' + b'{"a":' * 5000 + b"1" + b"}" * 5001, "metadata"),
    "empty": (b"", "$"),
}
ACCEPTED: dict[str, bytes] = {
    "null bytes": b'{"post_id": "null-bytes", "text": "a\\u0000b"}',
    "huge text": json.dumps({"post_id": "huge", "text": "lorem " * 310_000}).encode(),
    "duplicate": b'{"post_id": "twice", "text": "hello"}',
    "duplicate again": b'{"post_id": "twice", "text": "hello"}',
}


def wait_until(holds: Callable[[], bool], process: Process) -> None:
    """Wait for a state that must come; ends early when the worker has ended."""
    pause = threading.Event()
    for _ in range(1_800):
        if holds():
            return
        assert process.popen.poll() is None, process.log.read_text()[-3000:]
        pause.wait(0.05)
    raise AssertionError("it did not come to that")


def headers(message: Message) -> DeadLetterHeaders:
    return DeadLetterHeaders.from_headers(message.headers())  # pyright: ignore[reportArgumentType]


def get(port: int, path: str) -> tuple[int, dict[str, Any]]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}") as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def port_of(process: Process) -> int:
    """The health port that the worker took, from its log."""
    line = next(line for line in process.log.read_text().splitlines() if "serving /live" in line)
    return int(re.findall(r":(\d+)", line)[-1])


@pytest.mark.timeout(200)
def test_hostile_posts_end_as_decisions_or_as_dead_letters_with_field_and_reason(cluster: Cluster) -> None:
    worker = cluster.start()
    for key, (value, _) in HOSTILE.items():
        cluster.publish([(key, value)])
    cluster.publish((key, value) for key, value in ACCEPTED.items())
    cluster.publish([post("after")])
    letters = {(message.key() or b"").decode(): message for message in cluster.read(cluster.topics.dead_letters, 10)}
    assert letters.keys() == HOSTILE.keys()
    for key, (value, field) in HOSTILE.items():
        told = headers(letters[key])
        assert letters[key].value() == value
        assert (told.cause, told.stage) == ("invalid_post", "ingest")
        assert (told.field or "").startswith(field), f"{key}: {told.field}: {told.reason}"
        assert told.reason
        assert (told.topic, told.code) == (cluster.topics.stage(Stage.INGEST), "test")
        assert None not in (told.partition, told.offset, told.timestamp_ms)
    decided = decisions(cluster.read(cluster.topics.decisions, 5))
    assert sorted(decision["post_id"] for decision in decided) == ["after", "huge", "null-bytes", "twice", "twice"]
    assert worker.terminate() == 0


@pytest.mark.timeout(120)
def test_a_poison_item_is_found_in_its_batch_and_the_rest_goes_on(cluster: Cluster) -> None:
    cluster.publish(post(f"p-{at}", "poison" if at == 321 else "hello") for at in range(600))
    cluster.start()
    found = decisions(cluster.read(cluster.topics.decisions, 599))
    assert len(found) == 599
    (letter,) = cluster.read(cluster.topics.dead_letters, 1)
    told = headers(letter)
    assert letter.key() == b"p-321"
    assert (told.stage, told.cause, told.reason) == ("encode", "poison", "ValueError: poisonous text")


@pytest.mark.timeout(120)
def test_a_modality_that_cannot_be_read_lets_the_post_go_on_to_review(cluster: Cluster) -> None:
    cluster.start()
    cluster.publish([post("p-1", "unreadable")])
    (decision,) = decisions(cluster.read(cluster.topics.decisions, 1))
    assert decision["action"] == "review"
    assert decision["modalities"]["text"] == {"status": "failed", "reason": "cannot be read"}


@pytest.mark.timeout(120)
def test_a_transient_failure_waits_in_a_retry_topic_and_comes_back_with_its_own_source(cluster: Cluster) -> None:
    cluster.start()
    key, body = post("p-1", "transient")
    cluster.publish([(key, body)])
    (waiting,) = cluster.read(cluster.topics.retry("5s"), 1)
    told = headers(waiting)
    assert json.loads(waiting.value() or b"") == body
    assert (told.stage, told.attempt, told.topic) == ("ingest", 2, cluster.topics.stage(Stage.INGEST))
    assert told.not_before_ms is not None
    assert 0 < told.not_before_ms - waiting.timestamp()[1] <= 5_000
    (again,) = cluster.read(cluster.topics.retry("1m"), 1)
    later = headers(again)
    assert (later.attempt, later.topic, later.offset) == (3, told.topic, told.offset)


@pytest.mark.timeout(120)
def test_a_failure_that_does_not_pass_becomes_a_dead_letter_when_its_retries_are_used_up(cluster: Cluster) -> None:
    cluster.start(MODSTREAM_RETRY__MAX_ATTEMPTS="0")
    cluster.publish([post("p-1", "transient")])
    (letter,) = cluster.read(cluster.topics.dead_letters, 1)
    told = headers(letter)
    assert (told.cause, told.stage, told.attempt) == ("retries_exhausted", "encode", 1)


@pytest.mark.timeout(200)
def test_a_message_that_kills_its_process_runs_alone_and_is_then_given_up(cluster: Cluster) -> None:
    cluster.publish(post(f"p-{at}", "kill" if at == 7 else "hello") for at in range(20))
    deaths = 0
    while True:
        worker = cluster.launch()
        try:
            worker.wait_ready()
            wait_until(lambda: len(cluster.read(cluster.topics.dead_letters, 0, quiet_s=0.2)) == 1, worker)
            break
        except AssertionError:
            deaths += 1
            assert deaths < 6, "the message goes on killing workers"
    (letter,) = cluster.read(cluster.topics.dead_letters, 1)
    assert (letter.key(), headers(letter).cause) == (b"p-7", "crash_loop")
    assert deaths == 3, "two crashes in company, one alone"
    found = decisions(cluster.read(cluster.topics.decisions, 19))
    assert sorted(decision["post_id"] for decision in found) == sorted(f"p-{at}" for at in range(20) if at != 7)


@pytest.mark.timeout(200)
def test_too_many_failures_of_ours_pause_the_worker_until_it_can_go_on(cluster: Cluster) -> None:
    worker = cluster.start(MODSTREAM_BREAKER__PROBE_INTERVAL_S="0.5")
    port = port_of(worker)
    cluster.publish(post(f"p-{at}", "poison") for at in range(400))
    wait_until(lambda: get(port, "/ready")[0] == 503, worker)
    conditions = {entry["name"]: entry["ok"] for entry in get(port, "/ready")[1]["conditions"]}
    assert conditions["breaker"] is False
    assert get(port, "/live")[0] == 200
    assert len(cluster.read(cluster.topics.dead_letters, 0)) < 20, "the messages are kept, not given up"
    assert worker.terminate() == 0
    topic = cluster.topics.stage(Stage.INGEST)
    assert sum(max(0, offset) for offset in cluster.committed(topic).values()) < 400


@pytest.mark.timeout(200)
def test_a_paused_worker_probes_and_decides_everything_once_the_fault_is_gone(cluster: Cluster) -> None:
    latch = cluster.folder / "latch"
    worker = cluster.start(LIGHT_CHAIN_LATCH=str(latch), MODSTREAM_BREAKER__PROBE_INTERVAL_S="0.5")
    port = port_of(worker)
    cluster.publish(post(f"p-{at}", "broken until mended") for at in range(400))
    wait_until(lambda: _breaker_probes(port) > 2, worker)
    latch.touch()
    assert len(cluster.read(cluster.topics.decisions, 400)) == 400
    assert len(cluster.read(cluster.topics.dead_letters, 0)) == 0
    wait_until(lambda: get(port, "/ready")[0] == 200, worker)


def _breaker_probes(port: int) -> float:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        lines = answer.read().decode().splitlines()
    (line,) = (line for line in lines if line.startswith('modstream_breaker_probes_total{outcome="failed"}'))
    return float(line.split()[-1])


@pytest.mark.timeout(120)
def test_invalid_posts_never_pause_the_worker(cluster: Cluster) -> None:
    cluster.start()
    cluster.publish((f"bad-{at}", b"no json") for at in range(400))
    cluster.publish([post("good")])
    assert len(cluster.read(cluster.topics.dead_letters, 400)) == 400
    assert len(cluster.read(cluster.topics.decisions, 1)) == 1


@pytest.mark.timeout(120)
def test_a_deleted_post_leaves_a_tombstone_now_and_one_for_later(cluster: Cluster) -> None:
    cluster.start()
    cluster.publish([post("p-1"), ("p-1", None)])
    decision, tombstone = cluster.read(cluster.topics.decisions, 2)
    assert decision.value() is not None
    assert (tombstone.key(), tombstone.value()) == (b"p-1", None)
    (later,) = cluster.read(cluster.topics.retry("10m"), 1)
    assert (later.key(), later.value(), headers(later).attempt) == (b"p-1", None, 2)


@pytest.mark.timeout(120)
def test_the_tombstones_end_when_no_earlier_version_can_come_any_more(cluster: Cluster) -> None:
    cluster.start()
    told = DeadLetterHeaders(
        stage="ingest", attempt=6, topic=cluster.topics.stage(Stage.INGEST), partition=0, offset=0, timestamp_ms=1
    )
    producer = Producer({"bootstrap.servers": cluster.bootstrap})
    producer.produce(cluster.topics.retry("10m"), None, "p-1", headers=told.to_headers())  # pyright: ignore[reportArgumentType]
    producer.flush(30)
    (tombstone,) = cluster.read(cluster.topics.decisions, 1)
    assert (tombstone.key(), tombstone.value()) == (b"p-1", None)
    assert len(cluster.read(cluster.topics.retry("10m"), 1)) == 1


@pytest.mark.timeout(120)
def test_a_record_of_a_newer_version_holds_its_partition_and_is_never_given_up(cluster: Cluster) -> None:
    worker = cluster.start("one", ["pack", "encode", "fuse"])
    port = port_of(worker)
    topic = cluster.topics.stage(Stage.PACK)
    cluster.publish([("old", _record("old")), ("new", _newer(_record("new")))], topic=topic)
    wait_until(lambda: get(port, "/ready")[0] == 503, worker)
    conditions = {entry["name"]: entry["ok"] for entry in get(port, "/ready")[1]["conditions"]}
    assert conditions["versions"] is False
    assert worker.terminate() == 0
    assert len(cluster.read(cluster.topics.dead_letters, 0)) == 0
    assert sum(cluster.ends(topic).values()) - sum(max(0, at) for at in cluster.committed(topic).values()) >= 1


@pytest.mark.timeout(120)
def test_a_worker_whose_message_hangs_is_not_live(cluster: Cluster) -> None:
    worker = cluster.start(
        LIGHT_CHAIN_LATCH=str(cluster.folder / "latch"),
        MODSTREAM_WORKER__TICKET_AGE_LIMIT_S="1",
        # What a post's media may take has to be less.
        MODSTREAM_MEDIA__FETCH_TIMEOUT_S="0.05",
        MODSTREAM_MEDIA__DECODE_TIMEOUT_S="0.05",
    )
    port = port_of(worker)
    assert get(port, "/live")[0] == 200
    cluster.publish([post("p-1", "wait")])
    wait_until(lambda: get(port, "/live")[0] == 503, worker)
    (cluster.folder / "latch").touch()
    cluster.read(cluster.topics.decisions, 1)
    wait_until(lambda: get(port, "/live")[0] == 200, worker)


@pytest.mark.timeout(120)
def test_sigterm_finishes_and_commits_what_has_begun(cluster: Cluster) -> None:
    latch = cluster.folder / "latch"
    worker = cluster.start(LIGHT_CHAIN_LATCH=str(latch))
    cluster.publish([post("p-1", "wait")])
    journal = cluster.folder / "state" / cluster.prefix.rstrip(".") / "journal"
    wait_until(lambda: any(note.read_bytes().startswith(b"[{") for note in journal.glob("*/one.encode.*")), worker)
    releasing = threading.Timer(0.5, latch.touch)
    releasing.start()
    assert worker.terminate() == 0
    releasing.join()
    topic = cluster.topics.stage(Stage.INGEST)
    assert len(cluster.read(cluster.topics.decisions, 1)) == 1
    assert cluster.committed(topic)[_partition_of_only_message(cluster, topic)] == 1


@pytest.mark.timeout(120)
def test_a_second_process_with_the_same_identity_ends_one_of_the_two_with_a_clear_message(cluster: Cluster) -> None:
    first = cluster.start("same")
    second = cluster.launch("same", MODSTREAM_STATE_DIR=str(cluster.folder / "elsewhere"))
    second.wait_ready()
    pause = threading.Event()
    at = 0
    while first.popen.poll() is None and second.popen.poll() is None:
        cluster.publish(post(f"p-{at}-{n}") for n in range(20))
        at += 1
        pause.wait(0.2)
    ended = first if first.popen.poll() is not None else second
    assert ended.popen.returncode == 1
    assert "MODSTREAM_INSTANCE" in ended.log.read_text()
    found = decisions(cluster.read(cluster.topics.decisions, at * 20))
    assert len(found) == at * 20


def _record(post_id: str) -> bytes:
    return encode_record(
        Record(
            post=decode_post(json.dumps(post(post_id)[1]).encode()),
            source=Source(topic="t", partition=0, offset=0, timestamp_ms=0),
            content_hash="0" * 64,
            received_ms=0,
            route=STAGES,
        )
    )


def _newer(record: bytes) -> bytes:
    content: dict[str, Any] = msgspec.msgpack.decode(record)
    return msgspec.msgpack.encode({**content, "schema": "record/2", "brand_new": True})


def _partition_of_only_message(cluster: Cluster, topic: str) -> int:
    (partition,) = (number for number, end in cluster.ends(topic).items() if end > 0)
    return partition
