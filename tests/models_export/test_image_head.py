"""A head on picture features is fitted and judged without one picture being on both sides."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("sklearn")

from models_export.image_expert.hate_head import Memes, fit_and_measure, interval


def memes(signal: float, *, rows: int = 400, seed: int = 0) -> Memes:
    random = np.random.default_rng(seed)
    hateful = random.random(rows) < 0.5
    features = random.normal(size=(rows, 12)).astype(np.float32)
    features[:, 3] += signal * hateful
    names = np.array([f"m-{at}" for at in range(rows)])
    return Memes(names, np.arange(rows) < 300, hateful, names, features, np.zeros((rows, 1), np.float32))


def test_a_head_that_features_support_is_worth_having() -> None:
    found = fit_and_measure(memes(3.0))
    assert found.worth_having
    assert found.low < found.dev < found.high


def test_chance_is_not() -> None:
    found = fit_and_measure(memes(0.0))
    assert not found.worth_having
    assert found.low < 0.5 < found.high


def test_a_picture_in_both_splits_is_refused() -> None:
    given = memes(1.0)
    shared = given.groups.copy()
    shared[[5, 350]] = "same"
    with pytest.raises(ValueError, match="1 groups of equal pictures are in train and dev"):
        fit_and_measure(replace(given, groups=shared))


def test_the_interval_knows_that_copies_of_one_picture_say_little() -> None:
    random = np.random.default_rng(1)
    truth = random.random(40) < 0.5
    scores = random.normal(size=40) + truth
    alone = np.array([str(at) for at in range(40)])
    low, high = interval(scores, truth, alone)
    copied_low, copied_high = interval(np.tile(scores, 5), np.tile(truth, 5), np.tile(alone, 5))
    unaware_low, unaware_high = interval(
        np.tile(scores, 5), np.tile(truth, 5), np.array([str(at) for at in range(200)])
    )
    assert copied_high - copied_low == pytest.approx(high - low, abs=0.03)
    assert unaware_high - unaware_low < 0.7 * (high - low)
