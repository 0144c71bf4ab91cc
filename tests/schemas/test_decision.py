"""Decisions, confidences and flags have the published names and shapes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import (
    Action,
    Confidence,
    Decision,
    Evidence,
    Flag,
    InvalidMessage,
    Modality,
    Reason,
    Source,
    Status,
    Versions,
    decode_confidence,
    decode_decision,
    decode_flag,
    encode_confidence,
    encode_decision,
    encode_flag,
)

GOLDEN: dict[str, Any] = json.loads("""
{"schema": "decision/1", "decision_id": "d-1", "post_id": "p-1", "tenant": "default", "lang": "en",
 "source": {"topic": "moderation.posts", "partition": 3, "offset": 4711, "timestamp_ms": 1795316079641},
 "action": "review", "confidence": 0.83,
 "labels": {"abuse": 0.91, "hate": 0.84, "insult": 0.12, "sexual": 0.01},
 "not_assessed": ["spam", "self_harm", "misinformation"],
 "targets": {"race": 0.80, "religion": 0.11}, "attacks": {"dehumanizing": 0.52}, "explicitness": "implicit",
 "severity": 2,
 "modalities": {"text": {"status": "ok", "score": 0.4, "confidence": 0.9, "weight": 0.3},
                "ocr": {"status": "ok", "score": 0.9, "confidence": 0.97, "weight": 0.5},
                "image": {"status": "ok", "score": 0.3, "confidence": 0.6, "weight": 0.2},
                "speech": {"status": "absent"}},
 "evidence": [{"modality": "ocr", "media_id": "m-1", "text": "a", "bbox": [10, 20, 200, 60], "score": 0.93},
              {"modality": "speech", "media_id": "m-2", "text": "b", "t_start": 3.2, "t_end": 5.0, "score": 0.7},
              {"modality": "text", "span": [4, 19], "text": "c", "score": 0.8}],
 "flags": ["abuse", "hate", "hate.race"],
 "reasons": [{"rule": "hate-review", "code": "hate", "guideline": "community#hate", "text": "d", "evidence": [0]}],
 "versions": {"code": "1.0", "pack": "embedded@1a2b", "policy": "default@3c4d", "layers": ["default", "tenant:acme"]},
 "timings_ms": {"ingest": 1.2, "ocr": 40.1, "total": 95.0}, "decided_at": "2026-11-22T10:00:00Z"}
""")

VERSIONS = Versions(code="1.0", pack="embedded@1a2b", policy="default@3c4d", layers=("default", "tenant:acme"))
DECISION = Decision(
    decision_id="d-1",
    post_id="p-1",
    tenant="default",
    lang="en",
    source=Source(topic="moderation.posts", partition=3, offset=4711, timestamp_ms=1795316079641),
    action=Action.REVIEW,
    confidence=0.83,
    labels={"abuse": 0.91, "hate": 0.84, "insult": 0.12, "sexual": 0.01},
    not_assessed=("spam", "self_harm", "misinformation"),
    targets={"race": 0.80, "religion": 0.11},
    attacks={"dehumanizing": 0.52},
    explicitness="implicit",
    severity=2,
    modalities={
        "text": Modality(status=Status.OK, score=0.4, confidence=0.9, weight=0.3),
        "ocr": Modality(status=Status.OK, score=0.9, confidence=0.97, weight=0.5),
        "image": Modality(status=Status.OK, score=0.3, confidence=0.6, weight=0.2),
        "speech": Modality(status=Status.ABSENT),
    },
    evidence=(
        Evidence(modality="ocr", media_id="m-1", text="a", bbox=(10, 20, 200, 60), score=0.93),
        Evidence(modality="speech", media_id="m-2", text="b", t_start=3.2, t_end=5.0, score=0.7),
        Evidence(modality="text", span=(4, 19), text="c", score=0.8),
    ),
    flags=("abuse", "hate", "hate.race"),
    reasons=(Reason(rule="hate-review", code="hate", guideline="community#hate", text="d", evidence=(0,)),),
    versions=VERSIONS,
    timings_ms={"ingest": 1.2, "ocr": 40.1, "total": 95.0},
    decided_at=datetime(2026, 11, 22, 10, tzinfo=UTC),
)


def test_a_decision_is_written_as_published() -> None:
    written = json.loads(encode_decision(DECISION))
    assert written == GOLDEN
    assert list(written) == list(GOLDEN)


def test_the_published_example_is_a_decision() -> None:
    assert decode_decision(json.dumps(GOLDEN).encode()) == DECISION


def test_what_is_unknown_is_null_and_what_is_empty_is_there() -> None:
    decision = Decision(
        decision_id="d-1",
        post_id="p-1",
        tenant="default",
        lang=None,
        source=DECISION.source,
        action=Action.APPROVE,
        confidence=1,
        labels={},
        severity=0,
        modalities={},
        versions=VERSIONS,
        decided_at=DECISION.decided_at,
    )
    written = json.loads(encode_decision(decision))
    assert set(written) == set(GOLDEN)
    assert written["lang"] is None
    assert (written["evidence"], written["flags"], written["reasons"], written["targets"]) == ([], [], [], {})


def test_a_modality_without_a_score_has_its_reason_only() -> None:
    assert json.loads(msgspec.json.encode(Modality(status=Status.PARTIAL, reason="text past 8 windows"))) == {
        "status": "partial",
        "reason": "text past 8 windows",
    }


def test_a_confidence_survives_and_has_the_published_fields() -> None:
    confidence = Confidence(
        decision_id="d-1", post_id="p-1", modalities=DECISION.modalities, combined=DECISION.labels, versions=VERSIONS
    )
    raw = encode_confidence(confidence)
    assert decode_confidence(raw) == confidence
    assert set(json.loads(raw)) == {"schema", "decision_id", "post_id", "modalities", "combined", "versions"}


def test_a_flag_survives_and_has_the_published_fields() -> None:
    flag = Flag(
        flag_id="f-1",
        decision_id="d-1",
        post_id="p-1",
        tenant="default",
        flag="hate.race",
        probability=0.8,
        threshold=0.42,
        severity=2,
        action=Action.REVIEW,
        evidence=DECISION.evidence,
        decided_at=DECISION.decided_at,
    )
    raw = encode_flag(flag)
    assert decode_flag(raw) == flag
    assert " ".join(json.loads(raw)) == (
        "schema flag_id decision_id post_id tenant flag probability threshold severity action evidence decided_at"
    )


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"schema": "decision/2"}, "schema"),
        ({"action": "delete"}, "action"),
        ({"labels": {"abuse": 1.5}}, "labels[...]"),
        ({"labels": {"abuse": None}}, "labels[...]"),
        ({"severity": 5}, "severity"),
        ({"evidence": [{"modality": "text"}]}, "evidence[0].score"),
        ({"evidence": [{"modality": "text", "score": 1, "span": [1]}]}, "evidence[0].span"),
        ({"modalities": {"text": {"status": "fine"}}}, "modalities[...].status"),
        ({"decided_at": "2026-11-22T10:00:00"}, "decided_at"),
    ],
)
def test_a_bad_decision_is_refused_with_its_field(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidMessage) as caught:
        decode_decision(json.dumps({**GOLDEN, **fields}).encode())
    assert caught.value.field == field


PROBABILITIES = st.integers(0, 1000).map(lambda thousandths: thousandths / 1000)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
EVIDENCE = st.builds(
    Evidence,
    modality=st.sampled_from(["text", "ocr", "image", "speech"]),
    media_id=st.none() | TEXTS,
    field=st.sampled_from([None, "title", "parent"]),
    span=st.none() | st.tuples(st.integers(0), st.integers(0)),
    text=st.none() | TEXTS,
    bbox=st.none() | st.tuples(*[st.floats(0, 1e4)] * 4),
    t_start=st.none() | st.floats(0, 1e4),
    t_end=st.none() | st.floats(0, 1e4),
    score=PROBABILITIES,
)


@given(
    labels=st.dictionaries(TEXTS, PROBABILITIES, max_size=4),
    evidence=st.lists(EVIDENCE, max_size=3).map(tuple),
    action=st.sampled_from(Action),
    lang=st.none() | TEXTS,
    explicitness=st.sampled_from([None, "explicit", "implicit"]),
    decided_at=st.datetimes(timezones=st.just(UTC)),
)
def test_every_decision_survives_its_json(**fields: Any) -> None:
    decision = msgspec.structs.replace(DECISION, **fields)
    assert decode_decision(encode_decision(decision)) == decision
