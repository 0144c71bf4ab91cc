"""Stacking: several experts' say in one label, by the weights of the pack, for posts with pictures."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from processors.fuse import FuseProcessor
from processors.fuse.combine import fuse_scores
from processors.fuse.scores import Part
from processors.fuse.stacking import MAX_LOG_ODDS, log_odds, stacked_probability, stacking_inputs
from processors.packs import Pack, PackError, load_pack
from processors.packs.fusion_part import StackedLabel, Stacking
from processors.policy import Policy
from tests.fused import Chain, decided
from tests.ingested import ingested, post_of, received
from tests.pictured import Shot, looked_at, with_pictures
from tests.tiny_pack import write_manifest, write_tiny_pack

HATE = StackedLabel(bias=-1.0, weights={"whole": 0.5, "ocr": 0.25, "no_ocr": -0.5, "image.sexual": 0.1})
PARTS: dict[Part, dict[str, float]] = {
    "whole": {"abuse": 0.7, "hate": 0.6},
    "text": {"abuse": 0.2, "hate": 0.1},
    "ocr": {"abuse": 0.5, "hate": 0.4},
    "image": {"sexual": 0.2},
}


def logit(probability: float) -> float:
    return math.log(probability / (1 - probability))


def test_without_weights_a_label_is_the_highest_of_its_experts() -> None:
    assert fuse_scores(PARTS, {}).labels == {"abuse": 0.7, "hate": 0.6, "sexual": 0.2}
    both: dict[Part, dict[str, float]] = {**PARTS, "image": {"hate": 0.9}}
    assert fuse_scores(both, {}).labels == {"abuse": 0.7, "hate": 0.9}


def test_a_stacked_label_is_the_logistic_of_its_weighted_log_odds() -> None:
    total = -1.0 + 0.5 * logit(0.6) + 0.25 * logit(0.4) + 0.1 * logit(0.2)
    assert fuse_scores(PARTS, {"hate": HATE}).labels["hate"] == round(1 / (1 + math.exp(-total)), 3)
    assert fuse_scores(PARTS, {"hate": HATE}).labels["abuse"] == 0.7


def test_what_a_post_does_not_have_counts_as_nothing_and_is_said() -> None:
    inputs = stacking_inputs("hate", {"whole": {"hate": 0.6}})
    assert inputs == {"whole": pytest.approx(logit(0.6)), "ocr": 0.0, "no_ocr": 1.0}


def test_a_picture_without_words_has_no_stacked_label() -> None:
    assert fuse_scores({"image": {"sexual": 0.2}}, {"hate": HATE}).labels == {"sexual": 0.2}


def test_weights_are_shares_of_scores_and_of_moves_where_the_leading_label_is_stacked() -> None:
    assert fuse_scores(PARTS, {}).weights == {
        "text": round(0.2 / 0.9, 3),
        "ocr": 0.556,
        "image": round(0.2 / 0.9, 3),
    }
    sure = StackedLabel(bias=5.0, weights={"whole": 1.0, "image.sexual": 1.0})
    moved = {"whole": logit(0.6), "image": -logit(0.2)}
    total = sum(moved.values())
    weights = fuse_scores(PARTS, {"hate": sure}).weights
    assert weights["image"] == pytest.approx(moved["image"] / total, abs=0.001)
    assert weights["text"] == pytest.approx(moved["whole"] / total * 0.2 / 0.7, abs=0.001)


probabilities = st.floats(0, 1)
scores = st.fixed_dictionaries({"abuse": probabilities, "hate": probabilities})


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "whole": scores,
            "text": scores,
            "ocr": scores,
            "image": st.fixed_dictionaries({"sexual": probabilities}),
        },
    ),
    st.booleans(),
)
def test_probabilities_and_weights_are_in_range_whatever_the_experts_say(
    parts: dict[Part, dict[str, float]], stacked: bool
) -> None:
    found = fuse_scores(parts, {"hate": HATE} if stacked else {})
    assert all(0 <= probability <= 1 and probability == round(probability, 3) for probability in found.labels.values())
    assert all(0 <= weight <= 1 for weight in found.weights.values())
    assert not found.weights or sum(found.weights.values()) == pytest.approx(1.0, abs=1e-9)
    assert set(found.weights) == set(parts) - {"whole"}


@pytest.mark.parametrize(("probability", "expected"), [(0.0, -MAX_LOG_ODDS), (1.0, MAX_LOG_ODDS), (0.5, 0.0)])
def test_certainty_has_a_limited_say(probability: float, expected: float) -> None:
    assert log_odds(probability) == expected


@pytest.mark.parametrize("bias", [-1e9, 1e9])
def test_any_weights_give_a_probability(bias: float) -> None:
    assert stacked_probability(StackedLabel(bias=bias, weights={}), {}) in (0.0, 1.0)


def test_a_pack_with_weights_stacks_posts_with_pictures_and_no_others(
    chain: Chain, seeing_pack: Pack, policy: Policy
) -> None:
    never = Stacking(labels={"hate": StackedLabel(bias=-9.0, weights={"whole": 0.0})}, training=())
    pack = dataclasses.replace(seeing_pack, manifest=replace(seeing_pack.manifest, stacking=never))
    fuser = FuseProcessor(pack, policy, code="test")
    picture = looked_at(chain.encoded(with_pictures(Shot(["hello"]), text="you are all scum")), [(-9.0, -9.0)])
    assert decided(fuser, picture).labels["hate"] == 0.0
    assert chain.decision(fuser, ingested(received(post_of("you are all scum")))).labels["hate"] > 0.9


def test_the_manifests_weights_are_checked_against_what_the_experts_assess() -> None:
    part = Stacking(
        labels={"hate": StackedLabel(bias=0.0, weights={"whole": 1.0, "image.gore": 1.0}), "spam": HATE}, training=()
    )
    found = dict(part.problems(("abuse", "hate"), ("sexual",)))
    assert set(found) == {"labels.hate.weights.image.gore", "labels.spam"}
    assert "image.sexual" in found["labels.hate.weights.image.gore"]


def test_a_pack_whose_weights_name_what_it_does_not_assess_does_not_load(tmp_path: Path) -> None:
    folder = write_tiny_pack(tmp_path / "tiny")
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    part = {"labels": {"hate": {"bias": 0.0, "weights": {"image.sexual": 1.0}}}, "training": []}
    write_manifest(folder, {**manifest, "stacking": part})
    with pytest.raises(PackError, match=r"stacking\.labels\.hate\.weights\.image\.sexual: no such input"):
        load_pack(folder)
