"""What is produced for a message: its decision, its way on, its retry or its dead letter."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from msgspec.structs import replace

from processors.contract import ProcessingError
from schemas import (
    MAX_MESSAGE_BYTES,
    Action,
    Cause,
    Flag,
    Record,
    Stage,
    decode_confidence,
    decode_decision,
    decode_flag,
    decode_record,
)
from streams.kafka import MESSAGE_BYTES
from streams.topology import STAGES, STANDARD, URGENT
from streams.worker import outcomes as outcomes_module
from streams.worker.intake import take_in
from streams.worker.ledger import Output
from streams.worker.outcomes import OUR_FAILURES, Received
from tests.worker.parts import (
    NOW_MS,
    OUTCOMES,
    POSTS,
    TOPICS,
    come_back,
    decision_on,
    headers_of,
    message,
    post_bytes,
    record_of,
)

RECEIVED = message(post_bytes(), partition=3, offset=4711)


def retry(received: Received = RECEIVED, *, attempt: int = 1, input_stage: Stage = Stage.INGEST) -> Output:
    return OUTCOMES.retry_or_give_up(received, Stage.ENCODE, input_stage, "a time-out", attempt, NOW_MS)


# Dead letters


def test_a_dead_letter_has_everything_that_an_operator_needs() -> None:
    received = message(b'{"x": 1}', partition=3, offset=4711, headers=[("source", b"app-7"), ("empty", None)])
    output = OUTCOMES.dead_letter(received, Stage.ENCODE, Cause.POISON, "bad shape", "text", 2, "00-ab-cd-01")
    assert (output.topic, output.key, output.value) == ("moderation.dead-letters", b"p-1", b'{"x": 1}')
    assert headers_of(output) == {
        "source": "app-7",
        "empty": "",
        "modstream-stage": "encode",
        "modstream-cause": "poison",
        "modstream-reason": "bad shape",
        "modstream-field": "text",
        "modstream-attempt": "2",
        "modstream-topic": POSTS,
        "modstream-partition": "3",
        "modstream-offset": "4711",
        "modstream-timestamp": str(NOW_MS - 5),
        "modstream-code": "1.0",
        "modstream-pack": "embedded@1a2b",
        "modstream-policy": "default@3c4d",
        "modstream-traceparent": "00-ab-cd-01",
    }


def test_a_header_of_ours_that_the_message_came_with_is_replaced_not_repeated() -> None:
    received = message(b"{", headers=[("modstream-reason", b"forged"), ("modstream-cause", b"forged")])
    output = OUTCOMES.dead_letter(received, Stage.INGEST, Cause.INVALID_POST, "malformed JSON")
    names = [name for name, _ in output.headers or ()]
    assert len(names) == len(set(names))
    assert headers_of(output)["modstream-reason"] == "malformed JSON"


def test_only_failures_of_ours_can_stop_the_worker() -> None:
    assert {Cause.POISON, Cause.RETRIES_EXHAUSTED} == OUR_FAILURES


def wire_size(output: Output) -> int:
    headers = sum(len(name) + len(value or b"") + 10 for name, value in output.headers or ())
    return len(output.key or b"") + len(output.value or b"") + headers + 100


@pytest.mark.parametrize(
    "hostile",
    [
        message(b"x" * (3 * MAX_MESSAGE_BYTES)),
        message(b"{", key=b"k" * MAX_MESSAGE_BYTES),
        message(b"{", headers=[("big", b"h" * MAX_MESSAGE_BYTES)]),
        message(b"{", headers=[("many", None)] * 50_000),
        message(
            b"x" * (2 * MAX_MESSAGE_BYTES),
            key=b"k" * 100_000,
            headers=[("h", b"h" * 30_000), ("modstream-traceparent", b"\xff" * 100_000)],
        ),
    ],
    ids=["value", "key", "header", "headers", "all"],
)
def test_no_message_is_too_large_for_its_dead_letter(hostile: Received) -> None:
    """A broker limits compressed batches, so a message can be of any size; one that we cannot produce again would abort
    every transaction, for ever."""
    reason, field = "\N{FIRE}" * 5000, "f" * 5000
    output = OUTCOMES.dead_letter(hostile, Stage.INGEST, Cause.INVALID_POST, reason, field)
    assert wire_size(output) <= MESSAGE_BYTES
    assert headers_of(output)["modstream-cause"] == "invalid_post"


def test_a_dead_letter_that_was_cut_says_so() -> None:
    output = OUTCOMES.dead_letter(message(b"x" * 5_000_000), Stage.INGEST, Cause.INVALID_POST, "too large")
    assert output.value == b"x" * MAX_MESSAGE_BYTES
    assert "of its 5,000,000 bytes are kept" in headers_of(output)["modstream-reason"]


def test_the_largest_record_fits_whole_into_its_dead_letter() -> None:
    received = message(b"x" * MAX_MESSAGE_BYTES, topic="moderation.pack", headers=[("traceparent", b"0" * 55)])
    output = OUTCOMES.dead_letter(received, Stage.PACK, Cause.POISON, "bad shape")
    assert output.value == received.value
    assert wire_size(output) <= MESSAGE_BYTES


@pytest.mark.parametrize(
    "hostile",
    [
        message(post_bytes(), key=b"k" * MAX_MESSAGE_BYTES),
        message(post_bytes(), headers=[("big", b"h" * MAX_MESSAGE_BYTES)]),
    ],
    ids=["key", "header"],
)
def test_no_post_is_too_large_for_its_retry(hostile: Received) -> None:
    assert wire_size(retry(hostile)) <= MESSAGE_BYTES


# Retries


def test_a_retry_carries_the_bytes_as_received_and_says_when_and_where() -> None:
    received = message(post_bytes(), partition=3, offset=4711, headers=[("source", b"app-7")])
    output = retry(received)
    assert (output.topic, output.key, output.value) == ("moderation.retry.5s", b"p-1", received.value)
    headers = headers_of(output)
    assert headers["source"] == "app-7"
    assert (headers["modstream-stage"], headers["modstream-attempt"]) == ("ingest", "2")
    assert headers["modstream-not-before"] == str(NOW_MS + 5_000)
    assert headers["modstream-reason"] == "encode: a time-out"
    assert headers["modstream-cause"] == "transient"


@pytest.mark.parametrize(("attempt", "delay"), [(1, "5s"), (2, "1m"), (3, "10m")])
def test_each_attempt_waits_longer(attempt: int, delay: str) -> None:
    assert retry(attempt=attempt).topic == f"moderation.retry.{delay}"


def test_further_attempts_wait_the_longest_delay() -> None:
    patient = outcomes_module.Outcomes(TOPICS, OUTCOMES.versions, max_retries=9)
    output = patient.retry_or_give_up(RECEIVED, Stage.ENCODE, Stage.INGEST, "a time-out", 8, NOW_MS)
    assert output.topic == "moderation.retry.10m"


def test_an_attempt_too_many_is_a_dead_letter_of_the_stage_that_failed() -> None:
    output = retry(attempt=4)
    headers = headers_of(output)
    assert output.topic == "moderation.dead-letters"
    assert (headers["modstream-stage"], headers["modstream-cause"]) == ("encode", "retries_exhausted")
    assert (headers["modstream-attempt"], headers["modstream-reason"]) == ("4", "a time-out (4 attempts)")
    assert "modstream-not-before" not in headers


def test_without_retries_the_first_failure_is_the_last() -> None:
    strict = outcomes_module.Outcomes(TOPICS, OUTCOMES.versions, max_retries=0)
    output = strict.retry_or_give_up(RECEIVED, Stage.ENCODE, Stage.INGEST, "a time-out", 1, NOW_MS)
    assert output.topic == "moderation.dead-letters"


@pytest.mark.parametrize("stage", [Stage.INGEST, Stage.PACK, Stage.ENCODE, Stage.FUSE])
@pytest.mark.parametrize("lane", [STANDARD, URGENT])
def test_a_message_that_never_succeeds_takes_every_delay_and_then_is_given_up(stage: Stage, lane: str) -> None:
    """All the way round, as the worker and the `retry` stage do it: it ends, wherever it came in."""
    topic = TOPICS.stage(stage, lane)
    value = post_bytes() if stage is Stage.INGEST else outcomes_module.encode_record(record_of())
    received = message(value, topic=topic, partition=3, offset=4711)
    went: list[str] = []
    output = retry(received)
    for round_trip in range(10):
        record = take_in(received, stage, STANDARD, OUTCOMES, NOW_MS)
        assert not isinstance(record, list)
        assert record.attempt == round_trip + 1
        output = retry(received, attempt=record.attempt, input_stage=stage)
        went.append(output.topic)
        if output.topic == TOPICS.dead_letters:
            break
        waiting = message(output.value, topic=output.topic, key=output.key, headers=output.headers or ())
        again = OUTCOMES.republished(waiting)
        assert again is not None
        assert again.topic == topic
        received = come_back(again, topic, offset=5000 + round_trip)
    assert went == ["moderation.retry.5s", "moderation.retry.1m", "moderation.retry.10m", "moderation.dead-letters"]
    headers = headers_of(output)
    assert (headers["modstream-topic"], headers["modstream-partition"], headers["modstream-offset"]) == (
        topic,
        "3",
        "4711",
    )


def test_a_record_that_crossed_a_topic_is_retried_from_there_and_has_all_its_tries_again() -> None:
    """Its first server was away until the last try of `fetch`: that is no reason for `ocr` to have none."""
    crossing = OUTCOMES.crossing(record_of(attempt=4, route=STAGES), Stage.OCR, STANDARD, None)
    received = message(crossing.value, topic=crossing.topic, offset=41)
    record = take_in(received, Stage.OCR, STANDARD, OUTCOMES, NOW_MS)
    assert isinstance(record, Record)
    assert record.attempt == 1
    output = retry(received, attempt=record.attempt, input_stage=Stage.OCR)
    headers = headers_of(output)
    assert (output.topic, headers["modstream-topic"], headers["modstream-attempt"]) == (
        "moderation.retry.5s",
        "moderation.ocr",
        "2",
    )


# The retry stage


def on_retry_topic(output: Output) -> Received:
    return message(output.value, topic=output.topic, key=output.key, headers=output.headers or (), offset=12)


@pytest.mark.parametrize(
    ("topic", "stage"),
    [
        ("moderation.posts", Stage.INGEST),
        ("moderation.posts.urgent", Stage.INGEST),
        ("moderation.ocr.urgent", Stage.OCR),
        ("moderation.ocr.long", Stage.OCR),
        ("moderation.asr.long", Stage.ASR),
    ],
)
def test_a_retry_that_is_due_goes_back_to_the_lane_that_it_came_from(topic: str, stage: Stage) -> None:
    waiting = on_retry_topic(retry(message(post_bytes(), topic=topic), input_stage=stage))
    again = OUTCOMES.republished(waiting)
    assert again == Output(topic, b"p-1", waiting.value, list(waiting.headers))


def test_a_retry_from_a_topic_that_is_gone_goes_to_the_standard_lane_of_its_stage() -> None:
    waiting = on_retry_topic(retry(message(post_bytes(), topic="old.encode"), input_stage=Stage.ENCODE))
    again = OUTCOMES.republished(waiting)
    assert again is not None
    assert again.topic == "moderation.encode"


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("modstream-stage", b"nowhere"), ("modstream-topic", b"moderation.posts")],
        [("modstream-stage", b"retry")],
        [("modstream-stage", None)],
        [("modstream-topic", b"moderation.decisions"), ("modstream-stage", b"")],
    ],
)
def test_a_retry_whose_stage_is_unknown_goes_nowhere(headers: Any) -> None:
    assert OUTCOMES.republished(message(post_bytes(), topic="moderation.retry.5s", headers=headers)) is None


def test_a_retry_is_never_sent_to_a_topic_that_feeds_another_stage() -> None:
    headers = [("modstream-stage", b"ingest"), ("modstream-topic", b"moderation.encode")]
    again = OUTCOMES.republished(message(post_bytes(), topic="moderation.retry.5s", headers=headers))
    assert again is not None
    assert again.topic == "moderation.posts"


def test_a_retry_that_goes_nowhere_is_a_dead_letter_of_its_first_place() -> None:
    first = on_retry_topic(retry())
    headers = headers_of(OUTCOMES.dead_letter(first, Stage.RETRY, Cause.INVALID_RECORD, "no such stage"))
    assert (headers["modstream-topic"], headers["modstream-offset"]) == (POSTS, "4711")


# Deletes


def test_a_delete_leaves_a_tombstone_now_and_one_after_the_longest_delay() -> None:
    now, _, later = OUTCOMES.tombstones(message(None, headers=[("source", b"app-7")]), "p-1", STANDARD, 1, NOW_MS)
    assert now == Output("moderation.decisions", b"p-1", None)
    headers = headers_of(later)
    assert (later.topic, later.key, later.value) == ("moderation.retry.10m", b"p-1", None)
    assert headers["modstream-not-before"] == str(NOW_MS + 600_000)
    assert (headers["modstream-stage"], headers["modstream-attempt"], headers["source"]) == ("ingest", "2", "app-7")


@pytest.mark.parametrize(("lane", "topic"), [(STANDARD, "moderation.fetch"), (URGENT, "moderation.fetch.urgent")])
def test_a_delete_tells_fetch_to_forget_the_media_and_nothing_else_comes_of_it(lane: str, topic: str) -> None:
    _, forget, _ = OUTCOMES.tombstones(message(None), "p-1", lane, 1, NOW_MS)
    assert (forget.topic, forget.key) == (topic, b"p-1")
    assert forget.value is not None
    record = decode_record(forget.value)
    assert (record.deleted, record.post.post_id, record.route) == (True, "p-1", (Stage.FETCH,))
    assert OUTCOMES.decided(record, None) == []


def test_tombstones_come_back_until_no_earlier_version_can_wait_for_a_retry_any_more() -> None:
    gone = OUTCOMES.tombstones(message(None), "p-1", STANDARD, 1, NOW_MS)[:2]
    outputs: list[Output] | Record = OUTCOMES.tombstones(message(None), "p-1", STANDARD, 1, NOW_MS)
    rounds = 0
    while isinstance(outputs, list) and len(outputs) == 3:
        assert outputs[:1] == gone[:1]
        again = OUTCOMES.republished(on_retry_topic(outputs[2]))
        assert again is not None
        outputs = take_in(come_back(again, POSTS), Stage.INGEST, STANDARD, OUTCOMES, NOW_MS)
        rounds += 1
    assert isinstance(outputs, list)
    assert [output.topic for output in outputs] == [output.topic for output in gone]
    assert rounds * 600 >= OUTCOMES.longest_retry_s


def test_a_delete_comes_back_once_even_where_nothing_is_ever_retried() -> None:
    outcomes = dataclasses.replace(OUTCOMES, max_retries=0)
    assert len(outcomes.tombstones(message(None), "p-1", STANDARD, 1, NOW_MS)) == 3
    assert len(outcomes.tombstones(message(None), "p-1", STANDARD, 2, NOW_MS)) == 2


# Decisions and records


def test_a_finished_record_is_a_decision_a_confidence_and_its_flags() -> None:
    record = record_of()
    decision = decision_on(record, flags=("hate", "abuse"))
    flags = tuple(
        Flag(
            flag_id=name,
            decision_id="d-1",
            post_id="p-1",
            tenant="default",
            flag=name,
            severity=2,
            action=Action.REVIEW,
            decided_at=decision.decided_at,
        )
        for name in ("hate", "abuse")
    )
    trace = [("traceparent", b"00-ab")]
    outputs = OUTCOMES.decided(replace(record, decision=decision, flags=flags), trace)
    assert [output.topic for output in outputs] == [
        "moderation.decisions",
        "moderation.confidence",
        "moderation.flags",
        "moderation.flags",
    ]
    assert all((output.key, output.headers) == (b"p-1", trace) for output in outputs)
    assert decode_decision(outputs[0].value or b"") == decision
    assert decode_confidence(outputs[1].value or b"").decision_id == "d-1"
    assert [decode_flag(output.value or b"").flag for output in outputs[2:]] == ["hate", "abuse"]


def test_a_decision_is_keyed_by_its_post_whatever_the_messages_key_was() -> None:
    record = record_of(post_id="påst-1")
    outputs = OUTCOMES.decided(replace(record, decision=decision_on(record)), None)
    assert outputs[0].key == "påst-1".encode()


def test_a_decision_that_no_topic_can_hold_is_refused_by_its_size() -> None:
    record = record_of()
    huge = replace(record, decision=decision_on(record, not_assessed=("x" * MAX_MESSAGE_BYTES,)))
    with pytest.raises(ProcessingError, match="expected at most") as refused:
        OUTCOMES.decided(huge, None)
    assert refused.value.cause == Cause.TOO_LARGE


def test_a_record_crosses_on_its_lane_with_its_trace() -> None:
    record = record_of()
    output = OUTCOMES.crossing(record, Stage.ENCODE, URGENT, [("traceparent", b"00-ab")])
    assert (output.topic, output.key) == ("moderation.encode.urgent", b"p-1")
    assert output.headers == [("traceparent", b"00-ab")]
    assert decode_record(output.value or b"") == record


def test_a_record_that_no_topic_can_hold_is_refused_by_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outcomes_module, "MAX_MESSAGE_BYTES", 64)
    with pytest.raises(ProcessingError, match=r"the record for encode has \d+ bytes, expected at most 64") as refused:
        OUTCOMES.crossing(record_of(), Stage.ENCODE, STANDARD, None)
    assert refused.value.cause == Cause.TOO_LARGE
