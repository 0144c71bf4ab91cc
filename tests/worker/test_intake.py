"""Every message becomes a record, a dead letter that says what is wrong and where, or a tombstone."""

from __future__ import annotations

import gzip
import hashlib
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import MAX_MESSAGE_BYTES, NewerVersion, Record, Source, Stage, encode_record
from streams.topology import STAGES, STANDARD
from streams.worker.intake import take_in
from streams.worker.ledger import Header, Output
from streams.worker.outcomes import Received
from tests.worker.parts import (
    NOW_MS,
    OUTCOMES,
    POSTS,
    TOPICS,
    headers_of,
    message,
    post_bytes,
    record_message,
    record_of,
)


def taken(received: Received, stage: Stage = Stage.INGEST) -> Record | list[Output]:
    return take_in(received, stage, STANDARD, OUTCOMES, NOW_MS)


def record(received: Received, stage: Stage = Stage.INGEST) -> Record:
    found = taken(received, stage)
    assert isinstance(found, Record), headers_of(found[0])
    return found


def dead_letter(received: Received, stage: Stage = Stage.INGEST) -> Output:
    found = taken(received, stage)
    assert isinstance(found, list)
    (output,) = found
    assert output.topic == "moderation.dead-letters"
    return output


def retried(
    attempt: str = "3", topic: str = POSTS, partition: str = "5", offset: str = "70", timestamp: str = "1795316000000"
) -> list[Header]:
    return [
        ("modstream-stage", b"ingest"),
        ("modstream-attempt", attempt.encode()),
        ("modstream-topic", topic.encode()),
        ("modstream-partition", partition.encode()),
        ("modstream-offset", offset.encode()),
        ("modstream-timestamp", timestamp.encode()),
    ]


def post(**changes: Any) -> bytes:
    return json.dumps({"schema": "post/1", "post_id": "p-1", "text": "hello", **changes}).encode()


def test_a_post_becomes_a_record_that_knows_where_it_came_from() -> None:
    value = post_bytes("hello")
    found = record(message(value, partition=3, offset=4711))
    assert found.post.text == "hello"
    assert found.source == Source(topic=POSTS, partition=3, offset=4711, timestamp_ms=NOW_MS - 5)
    assert found.content_hash == hashlib.sha256(value).hexdigest()
    assert (found.received_ms, found.attempt, found.route) == (NOW_MS, 1, STAGES)


HOSTILE: dict[str, tuple[bytes, str, str]] = {
    "malformed JSON": (b'{"post_id": "p-1", "text": ', "$", "malformed JSON"),
    "no JSON at all": (b"\x00\x01\x02", "$", "malformed JSON"),
    "zero bytes": (b"", "$", "empty value"),
    "an array": (b"[]", "$", "expected object"),
    "a wrong type": (post(text=7), "text", "expected str"),
    "a wrong type deep inside": (
        post(media=[{"media_id": "m", "kind": 3, "uri": "https://a/b"}]),
        "media[0].kind",
        "expected",
    ),
    "no id": (b'{"text": "hello"}', "post_id", "required"),
    "an empty id": (post(post_id=""), "post_id", "length"),
    "nothing to judge": (post(text=None), "text", "one of the two is required"),
    "an unknown schema": (post(schema="post/9"), "schema", "unknown schema 'post/9'"),
    "deep nesting": (post(metadata={"a": 1})[:-2] + b',"b":' + b"[" * 900 + b"]" * 900 + b"}}", "metadata", "nested"),
    "a lone surrogate": (b'{"post_id": "p-1", "text": "\\ud800"}', "text", "lone surrogate"),
    "bytes that are not UTF-8": (b'{"post_id": "p-1", "text": "\xff\xfe"}', "text", "not UTF-8"),
    "a null byte in the id": (post(post_id="a\u0000b"), "post_id", "control characters"),
    "an id used twice": (
        post(media=[{"media_id": "m", "kind": "image", "uri": "https://a/b"}] * 2),
        "media[1].media_id",
        "used twice",
    ),
    "a post that is too large": (post(text="x" * 2_200_000), "$", "bytes, expected at most"),
    "a compressed body": (gzip.compress(post_bytes()), "$", ""),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_post_is_a_dead_letter_with_its_field_and_reason(name: str) -> None:
    value, field, reason = HOSTILE[name]
    output = dead_letter(message(value, partition=2, offset=99))
    headers = headers_of(output)
    assert (headers["modstream-cause"], headers["modstream-field"]) == ("invalid_post", field)
    assert reason in headers["modstream-reason"]
    assert (headers["modstream-partition"], headers["modstream-offset"]) == ("2", "99")
    assert (output.key, output.value) == (b"p-1", value)


@pytest.mark.parametrize("text", ["a\u0000b", "x" * 1_900_000, "\U0001f600", "\u202eabc"])
def test_an_odd_but_valid_text_is_a_record(text: str) -> None:
    assert record(message(post(text=text))).post.text == text


@given(st.binary(max_size=200))
def test_no_bytes_break_the_intake(value: bytes) -> None:
    for stage in STAGES:
        received = message(value, topic=TOPICS.stage(stage))
        found = taken(received, stage)
        assert isinstance(found, Record) or found[0].value == value


@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                [
                    "modstream-attempt",
                    "modstream-topic",
                    "modstream-partition",
                    "modstream-offset",
                    "modstream-timestamp",
                    "modstream-not-before",
                    "traceparent",
                    "x",
                ]
            ),
            st.none() | st.binary(max_size=20) | st.sampled_from([b"-1", b"3", b"1e9", POSTS.encode(), b"9" * 30]),
        )
    )
)
def test_no_headers_break_the_intake_and_what_they_make_up_can_be_read_on(headers: list[Header]) -> None:
    found = record(message(post_bytes(), offset=7, headers=headers))
    assert found.attempt >= 1
    assert found.source.topic == POSTS
    assert min(found.source.partition, found.source.offset) >= 0
    dead_letter(message(b"{", headers=headers))


# Retries


def test_a_retry_keeps_the_place_where_it_was_first_published() -> None:
    found = record(message(post_bytes(), partition=0, offset=200, headers=retried()))
    assert found.attempt == 3
    assert found.source == Source(topic=POSTS, partition=5, offset=70, timestamp_ms=1795316000000)


def test_a_retry_that_turns_out_invalid_names_its_first_place_and_its_attempt() -> None:
    headers = headers_of(dead_letter(message(b"{", offset=200, headers=retried())))
    assert (headers["modstream-offset"], headers["modstream-attempt"]) == ("70", "3")


@pytest.mark.parametrize(
    "forged",
    [
        retried(topic="another.topic"),
        retried(partition="-1"),
        retried(offset="-9"),
        retried(offset="seven"),
        retried(offset="9" * 40),
        retried(attempt="many"),
        [("modstream-attempt", b"2"), ("modstream-topic", POSTS.encode())],
        [("modstream-attempt", None), ("modstream-topic", None)],
        [("modstream-topic", b"\xff\xff")],
    ],
)
def test_headers_that_are_made_up_or_broken_are_not_believed(forged: list[Header]) -> None:
    received = message(post_bytes(), offset=200, headers=forged)
    assert record(received).source == Source(topic=POSTS, partition=0, offset=200, timestamp_ms=NOW_MS - 5)
    assert record(received).attempt >= 1
    headers = headers_of(dead_letter(received._replace(value=b"{")))
    assert [headers[f"modstream-{name}"] for name in ("topic", "partition", "offset")] == [POSTS, "0", "200"]


@pytest.mark.parametrize("attempt", ["0", "-4", "", "x"])
def test_an_attempt_is_at_least_the_first(attempt: str) -> None:
    assert record(message(post_bytes(), headers=retried(attempt=attempt))).attempt == 1


def test_a_sender_without_a_clock_of_its_own_takes_the_messages() -> None:
    assert record(message(post_bytes(), headers=retried(timestamp="soon"))).source.timestamp_ms == NOW_MS - 5


# Deletes


def test_a_null_value_deletes_the_post_now_and_later() -> None:
    found = taken(message(None))
    assert isinstance(found, list)
    assert [(output.topic, output.key, output.value) for output in found] == [
        ("moderation.decisions", b"p-1", None),
        ("moderation.fetch", b"p-1", found[1].value),
        ("moderation.retry.10m", b"p-1", None),
    ]
    assert record(message(found[1].value), Stage.FETCH).deleted


@pytest.mark.parametrize("key", [None, b""])
def test_a_delete_without_a_key_is_a_dead_letter_that_names_it(key: bytes | None) -> None:
    headers = headers_of(dead_letter(message(None, key=key)))
    assert (headers["modstream-cause"], headers["modstream-field"]) == ("invalid_post", "key")
    assert "without a key, expected the post's id" in headers["modstream-reason"]


def test_a_delete_whose_key_is_no_id_of_any_post_is_a_dead_letter() -> None:
    headers = headers_of(dead_letter(message(None, key=b"k" * 5000)))
    assert headers["modstream-field"] == "key"
    assert "5,000 bytes" in headers["modstream-reason"]
    headers = headers_of(dead_letter(message(None, key=b"\xff\xfe")))
    assert "not UTF-8" in headers["modstream-reason"]


def test_a_post_without_a_key_is_still_a_post() -> None:
    assert record(message(post_bytes(), key=None)).post.post_id == "p-1"


# Records between stages


def test_a_record_is_read_as_it_was_written() -> None:
    written = record_of("hello")
    assert record(record_message(written, Stage.PACK), Stage.PACK) == written


def test_a_record_that_comes_back_from_a_retry_knows_how_often_it_was_tried() -> None:
    """Its bytes are those of its first try: without the header it would be tried for ever."""
    received = record_message(record_of(), Stage.ENCODE, retried("3", "moderation.encode"))
    assert record(received, Stage.ENCODE).attempt == 3


def test_a_records_own_count_is_never_turned_back() -> None:
    received = record_message(record_of(attempt=4), Stage.ENCODE, retried("2", "moderation.encode"))
    assert record(received, Stage.ENCODE).attempt == 4


def test_a_record_of_a_later_version_is_left_where_it_is() -> None:
    fields = msgspec.msgpack.decode(encode_record(record_of()), type=dict[str, Any])
    later = msgspec.msgpack.encode({**fields, "schema": "record/2"})
    with pytest.raises(NewerVersion, match="record/2 is newer than record/1"):
        taken(message(later, topic="moderation.pack"), Stage.PACK)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "an empty value, expected a record"),
        (b"", "not a record"),
        (b"\xc1", "not a record"),
        (post_bytes(), "not a record"),
        (msgspec.msgpack.encode({"schema": "post/1"}), "schema 'post/1', expected 'record/1'"),
        (b"x" * (MAX_MESSAGE_BYTES + 1), "expected at most"),
    ],
)
def test_what_is_no_record_is_a_dead_letter_that_says_why(value: bytes | None, reason: str) -> None:
    headers = headers_of(dead_letter(message(value, topic="moderation.pack", offset=41), Stage.PACK))
    assert (headers["modstream-cause"], headers["modstream-stage"]) == ("invalid_record", "pack")
    assert reason in headers["modstream-reason"]
    assert (headers["modstream-topic"], headers["modstream-offset"]) == ("moderation.pack", "41")


def test_a_record_that_does_not_lead_to_the_stage_is_a_dead_letter() -> None:
    astray = record_of(route=(Stage.INGEST, Stage.FUSE))
    headers = headers_of(dead_letter(record_message(astray, Stage.PACK), Stage.PACK))
    assert headers["modstream-reason"] == "the record's route (ingest fuse) does not lead to pack"
