"""Feedback of reviewers: accepted, kept, and refused with the field."""

from __future__ import annotations

import json
from typing import Any

import pytest

from schemas import Action, InvalidFeedback, decode_feedback, encode_feedback

FULL: dict[str, Any] = {
    "schema": "feedback/1",
    "feedback_id": "f-1",
    "decision_id": "d-1",
    "post_id": "p-1",
    "reviewer": "r-7",
    "role": "moderator",
    "source": "review",
    "verdict": "block",
    "labels": {"abuse": True, "hate": False},
    "spans": [{"span": [4, 19], "label": "abuse"}, {"span": [0, 3], "field": "title"}],
    "boxes": [{"media_id": "m-1", "bbox": [10.0, 20.0, 200.0, 60.0], "label": "hate"}],
    "times": [{"media_id": "m-2", "t_start": 3.2, "t_end": 5.0}],
    "explanation_rating": 4,
    "comment": "the caption changes the picture's meaning",
    "seconds_spent": 31.5,
    "created_at": "2026-11-22T10:00:00Z",
}
REQUIRED = ("feedback_id", "decision_id", "post_id", "source", "verdict", "created_at")


def encode(**fields: Any) -> bytes:
    return json.dumps({**FULL, **fields}).encode()


def test_a_full_feedback_survives() -> None:
    feedback = decode_feedback(encode())
    assert feedback.verdict is Action.BLOCK
    written = json.loads(encode_feedback(feedback))
    assert {"schema": "feedback/1", **written} == FULL
    assert decode_feedback(encode_feedback(feedback)) == feedback


def test_the_required_fields_are_enough() -> None:
    feedback = decode_feedback(json.dumps({name: FULL[name] for name in REQUIRED}).encode())
    assert (feedback.labels, feedback.spans, feedback.explanation_rating) == ({}, (), None)


@pytest.mark.parametrize("name", REQUIRED)
def test_a_missing_field_is_named(name: str) -> None:
    with pytest.raises(InvalidFeedback) as caught:
        decode_feedback(json.dumps({key: value for key, value in FULL.items() if key != name}).encode())
    assert (caught.value.field, caught.value.reason) == (name, "required, but missing")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"schema": "feedback/2"}, "schema"),
        ({"source": "guess"}, "source"),
        ({"verdict": "delete"}, "verdict"),
        ({"explanation_rating": 0}, "explanation_rating"),
        ({"explanation_rating": 6}, "explanation_rating"),
        ({"explanation_rating": 4.5}, "explanation_rating"),
        ({"seconds_spent": -1}, "seconds_spent"),
        ({"labels": {"abuse": "yes"}}, "labels[...]"),
        ({"labels": {"a\n": True}}, "labels"),
        ({"labels": {f"{i}": True for i in range(300)}}, "labels"),
        ({"spans": [{"span": [5, 5]}]}, "spans[0].span"),
        ({"spans": [{"span": [-1, 5]}]}, "spans[0].span[0]"),
        ({"spans": [{"span": [0, 5], "field": "body"}]}, "spans[0].field"),
        ({"boxes": [{"media_id": "m-1", "bbox": [1, 2, 3]}]}, "boxes[0].bbox"),
        ({"times": [{"media_id": "m-1", "t_start": 5, "t_end": 4}]}, "times[0]"),
        ({"created_at": "today"}, "created_at"),
        ({"post_id": "p\x00"}, "post_id"),
    ],
)
def test_a_bad_field_is_named(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidFeedback) as caught:
        decode_feedback(encode(**fields))
    assert caught.value.field == field


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"\xff", b"[" * 5000])
def test_what_is_no_json_object_is_refused(raw: bytes) -> None:
    with pytest.raises(InvalidFeedback) as caught:
        decode_feedback(raw)
    assert caught.value.field == "$"
