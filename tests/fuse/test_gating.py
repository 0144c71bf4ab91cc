"""How far a modality is trusted, and that what is trusted less hides nothing."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.fuse.combine import Whole, fuse_scores
from processors.fuse.gating import MODALITY_PARTS, SMALLEST_STEP, gated, part_weights
from processors.fuse.scores import Part
from processors.pack.features import FEATURES
from processors.packs.fusion_part import Gating, Ramp

GATING = Gating()
WELL_READ = {
    "letters": 40.0,
    "ocr_confidence": 0.95,
    "ocr_coverage": 0.2,
    "asr_confidence": 0.9,
    "asr_unsafe_ratio": 0.0,
}
ALL: dict[Part, dict[str, float]] = {part: {"hate": 0.5} for part in (*MODALITY_PARTS, "together", "whole")}

probability = st.floats(0, 1)
weight = st.floats(GATING.least, 1)


def weights_of(**features: float) -> dict[Part, float]:
    return part_weights({**WELL_READ, **features}, ALL, GATING)


def test_what_was_read_well_is_trusted_wholly() -> None:
    assert weights_of() == {"text": 1.0, "ocr": 1.0, "image": 1.0, "asr": 1.0, "together": 1.0}


def test_a_part_that_the_post_lacks_has_no_weight() -> None:
    assert part_weights(WELL_READ, {"ocr": {"hate": 0.5}}, GATING) == {"ocr": 1.0}


@pytest.mark.parametrize(
    ("part", "feature", "better", "worse"),
    [
        ("text", "letters", 3.0, 1.0),
        ("text", "unknown_share", 0.2, 0.4),
        ("ocr", "ocr_confidence", 0.8, 0.6),
        ("ocr", "ocr_coverage", 0.008, 0.002),
        ("ocr", "ocr_unknown_share", 0.2, 0.4),
        ("asr", "asr_confidence", 0.6, 0.4),
        ("asr", "asr_unsafe_ratio", 0.3, 0.8),
        ("asr", "asr_unknown_share", 0.2, 0.4),
    ],
)
def test_each_quality_counts_for_its_own_modality_and_no_other(
    part: Part, feature: str, better: float, worse: float
) -> None:
    good, bad = weights_of(**{feature: better}), weights_of(**{feature: worse})
    assert 1.0 > good[part] > bad[part] >= GATING.least
    assert all(bad[other] == 1.0 for other in bad if other not in (part, "together"))


def test_all_words_together_are_as_good_as_the_worst_of_them() -> None:
    found = weights_of(ocr_confidence=0.6)
    assert found["together"] == found["ocr"] < 1.0


def test_the_worst_reading_is_trusted_a_little_as_it_still_stands_for_a_review() -> None:
    assert weights_of(ocr_confidence=0.0, asr_confidence=math.nan, letters=0.0) == {
        "text": 0.1,
        "ocr": 0.1,
        "image": 1.0,
        "asr": 0.1,
        "together": 0.1,
    }


@given(st.dictionaries(st.sampled_from(FEATURES), st.floats(allow_nan=True, allow_infinity=True)))
def test_weights_are_in_range_whatever_the_features(features: dict[str, float]) -> None:
    assert all(GATING.least <= found <= 1.0 for found in part_weights(features, ALL, GATING).values())


@given(probability, weight, probability)
def test_a_gated_probability_keeps_its_side_of_the_threshold_and_is_never_higher(
    said: float, trusted: float, threshold: float
) -> None:
    found = gated(said, trusted, threshold)
    assert 0.0 <= found <= said
    if said > threshold + SMALLEST_STEP:
        assert round(found, 3) > threshold or found == said
        assert found >= threshold + SMALLEST_STEP
    else:
        assert found == said


@given(probability, weight, weight, probability)
def test_more_trust_never_makes_a_post_look_better(said: float, one: float, other: float, threshold: float) -> None:
    assert gated(said, min(one, other), threshold) <= gated(said, max(one, other), threshold)
    assert gated(said, 1.0, threshold) == pytest.approx(said)


scores = st.fixed_dictionaries({"abuse": probability, "hate": probability})
posts = st.fixed_dictionaries(
    {}, optional={"text": scores, "ocr": scores, "asr": scores, "together": scores, "image": scores}
)
trust = st.fixed_dictionaries(dict.fromkeys(("text", "ocr", "asr", "together", "image"), weight))
THRESHOLDS = {"abuse": 0.4, "hate": 0.3}


@given(posts, trust, st.sampled_from(["text", "ocr", "asr", "image", "together"]), scores)
def test_a_further_witness_however_bad_never_lowers_what_the_others_say(
    parts: dict[Part, dict[str, float]], weights: dict[Part, float], part: Part, said: dict[str, float]
) -> None:
    others: dict[Part, dict[str, float]] = {name: found for name, found in parts.items() if name != part}
    with_it: dict[Part, dict[str, float]] = {**others, part: said}
    before, after = (fuse_scores(shown, weights, THRESHOLDS) for shown in (others, with_it))
    assert all(after[label] >= before[label] for label in before)


@given(posts, trust)
def test_the_same_labels_are_over_their_thresholds_however_badly_a_post_was_read(
    parts: dict[Part, dict[str, float]], weights: dict[Part, float]
) -> None:
    trusted, doubted = (fuse_scores(parts, given, THRESHOLDS) for given in ({}, weights))
    over = [{label for label, found in labels.items() if found > THRESHOLDS[label]} for labels in (trusted, doubted)]
    assert over[0] == over[1]


PARTS: dict[Part, dict[str, float]] = {
    "whole": {"abuse": 0.9, "hate": 0.8},
    "together": {"abuse": 0.9, "hate": 0.8},
    "ocr": {"abuse": 0.5, "hate": 0.4},
    "asr": {"abuse": 0.2, "hate": 0.6},
    "image": {"sexual": 0.2},
}


def test_a_label_is_the_highest_of_its_experts() -> None:
    assert fuse_scores(PARTS, {}, {}) == {"abuse": 0.9, "hate": 0.8, "sexual": 0.2}
    assert fuse_scores({}, {}, {}) == {}


def test_the_fusion_stands_for_what_it_was_shown_and_takes_nothing_else_back() -> None:
    shown = Whole({"hate": 0.1}, frozenset({"ocr", "image"}))
    assert fuse_scores(PARTS, {}, {}, shown) == {"abuse": 0.9, "hate": 0.8, "sexual": 0.2}
    silent: dict[Part, dict[str, float]] = {part: PARTS[part] for part in ("whole", "ocr", "image")}
    assert fuse_scores(silent, {}, {}, shown) == {"abuse": 0.5, "hate": 0.1, "sexual": 0.2}
    assert fuse_scores(silent, {}, {}, Whole({"hate": 0.7}, frozenset({"ocr", "image"})))["hate"] == 0.7


def test_a_ramp_without_a_way_between_its_ends_is_refused() -> None:
    assert dict(Gating(ocr_coverage=Ramp(none=0.2, full=0.2)).problems()).keys() == {"ocr_coverage"}
    assert not list(GATING.problems())
