"""Flags on posts whose parts and whole differ."""

from __future__ import annotations

import pytest

from processors.fuse.combine import Whole
from processors.fuse.interaction import interactions
from processors.fuse.scores import Part
from processors.policy import INTERACTION_EMERGENT, INTERACTION_NEUTRALISED

THRESHOLDS = {"abuse": 0.4, "hate": 0.3}

EMERGENT, NEUTRALISED = (INTERACTION_EMERGENT,), (INTERACTION_NEUTRALISED,)


def post(text: float, ocr: float, together: float) -> dict[Part, dict[str, float]]:
    return {"text": {"hate": text}, "ocr": {"hate": ocr}, "together": {"hate": together}}


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (post(0.1, 0.1, 0.8), EMERGENT),
        (post(0.1, 0.8, 0.1), NEUTRALISED),
        (post(0.8, 0.1, 0.1), NEUTRALISED),
        (post(0.8, 0.1, 0.9), ()),
        (post(0.1, 0.1, 0.2), ()),
        # On two sides of the threshold, but too near to tell.
        (post(0.25, 0.1, 0.4), ()),
        (post(0.4, 0.1, 0.25), ()),
    ],
)
def test_parts_and_the_reading_of_all_words_are_compared(
    parts: dict[Part, dict[str, float]], expected: tuple[str, ...]
) -> None:
    assert interactions(parts, None, THRESHOLDS) == expected


def test_the_fusion_is_the_whole_where_it_judges() -> None:
    parts: dict[Part, dict[str, float]] = {"ocr": {"hate": 0.1, "abuse": 0.1}, "image": {"sexual": 0.1}}
    whole = Whole({"hate": 0.9}, frozenset({"ocr", "image"}))
    assert interactions(parts, whole, THRESHOLDS) == EMERGENT
    assert interactions(parts, None, THRESHOLDS) == ()


def test_each_label_counts_and_each_flag_is_raised_once() -> None:
    parts: dict[Part, dict[str, float]] = {
        "text": {"hate": 0.1, "abuse": 0.9},
        "asr": {"hate": 0.1, "abuse": 0.1},
        "together": {"hate": 0.9, "abuse": 0.1},
    }
    assert interactions(parts, None, THRESHOLDS) == (INTERACTION_EMERGENT, INTERACTION_NEUTRALISED)


def test_a_part_that_the_whole_does_not_stand_for_is_neutralised_by_nothing() -> None:
    parts: dict[Part, dict[str, float]] = {"ocr": {"hate": 0.9}, "asr": {"hate": 0.9}, "image": {"sexual": 0.1}}
    kind = Whole({"hate": 0.05}, frozenset({"ocr", "image"}))
    assert interactions(parts, kind, THRESHOLDS) == ()
    assert interactions({**parts, "asr": {"hate": 0.1}}, kind, THRESHOLDS) == NEUTRALISED
    looks: dict[Part, dict[str, float]] = {**post(0.1, 0.1, 0.1), "image": {"hate": 0.9}}
    assert interactions(looks, None, THRESHOLDS) == ()


def test_labels_that_the_fusion_does_not_judge_are_compared_with_the_reading_of_all_words() -> None:
    parts = post(0.1, 0.1, 0.1)
    parts |= {"together": {"hate": 0.1, "abuse": 0.9}, "text": {"hate": 0.1, "abuse": 0.1}}
    assert interactions(parts, Whole({"hate": 0.1}, frozenset({"ocr", "image"})), THRESHOLDS) == EMERGENT


def test_a_single_part_and_a_label_without_a_threshold_do_not_interact() -> None:
    whole = Whole({"hate": 0.9}, frozenset({"text"}))
    assert interactions({"text": {"hate": 0.1}}, whole, THRESHOLDS) == ()
    assert interactions(post(0.1, 0.1, 0.9), None, {"abuse": 0.4}) == ()
