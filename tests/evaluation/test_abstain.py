from __future__ import annotations

import numpy as np
import pytest

from models_export.measures.abstain import Band, band_figures, choose_band
from models_export.measures.metrics import sigmoid
from models_export.measures.thresholds import threshold_of_precision, threshold_of_recall


def world(rows: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Calibrated probabilities, and what they are about."""
    rng = np.random.default_rng(seed)
    chances = sigmoid(rng.normal(-0.5, 2.0, rows)).round(3)
    return chances, rng.random(rows) < chances


def test_outside_the_band_the_error_is_as_low_as_asked_on_other_rows_too() -> None:
    scores, truth = world(20_000)
    band = choose_band(scores, truth, 0.5)
    figures = band_figures(band, *world(20_000, seed=1))
    assert band.low is not None
    assert band.high is not None
    assert band.low < 0.5 < band.high
    assert figures.error.value == pytest.approx(0.05, abs=0.01)
    assert 0.2 < (figures.coverage.value or 0) < 0.9
    assert (figures.error.low or 0) < 0.05 < (figures.error.high or 0)


def test_a_stricter_limit_leaves_more_to_people() -> None:
    scores, truth = world(5_000)
    shares = [
        band_figures(choose_band(scores, truth, 0.5, limit), scores, truth).coverage.value or 0
        for limit in (0.02, 0.05, 0.1, 0.5)
    ]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_no_other_band_with_that_error_leaves_less_to_people() -> None:
    scores, truth = world(300, seed=5)
    best = band_figures(choose_band(scores, truth, 0.4), scores, truth)
    assert (best.error.value or 0) <= 0.05
    lows = [None, *np.unique(scores[scores <= 0.4]).tolist()]
    highs = [None, *np.unique(scores[scores > 0.4]).tolist()]
    for low in lows:
        for high in highs:
            below = scores <= (low if low is not None else -1)
            above = scores >= (high if high is not None else 2)
            wrong = (below & truth).sum() + (above & ~truth).sum()
            if wrong <= 0.05 * (below | above).sum():
                assert (below | above).mean() <= (best.coverage.value or 0)


def test_a_side_that_is_never_sure_is_left_to_people_as_a_whole() -> None:
    scores = np.array([0.1] * 100 + [0.9] * 100)
    truth = np.array([False] * 100 + [True, False] * 50)
    assert choose_band(scores, truth, 0.5) == Band(low=0.1, high=None)


def test_where_nothing_is_sure_nothing_is_said() -> None:
    scores = np.array([0.4] * 50 + [0.6] * 50)
    truth = np.array([True, False] * 50)
    band = choose_band(scores, truth, 0.5)
    assert band == Band(low=None, high=None)
    figures = band_figures(band, scores, truth)
    assert figures.coverage.value == 0.0
    assert figures.error.value is None


def test_a_threshold_of_precision_finds_the_most_that_is_so_precise() -> None:
    scores, truth = world(20_000)
    mild, strict = (threshold_of_precision(scores, truth, least) for least in (0.8, 0.9))
    assert mild is not None
    assert strict is not None
    assert mild < strict
    assert truth[scores > strict].mean() >= 0.9
    assert truth[scores > strict - 0.005].mean() < 0.9


def test_a_threshold_of_recall_is_the_highest_that_finds_so_much() -> None:
    scores, truth = world(20_000)
    found = threshold_of_recall(scores, truth, 0.9)
    assert found is not None
    assert (scores > found)[truth].mean() >= 0.9
    assert (scores > found + 0.002)[truth].mean() < 0.9


def test_what_cannot_be_reached_has_no_threshold() -> None:
    scores = np.full(100, 0.5)
    assert threshold_of_precision(scores, np.arange(100) % 2 == 0, 0.9) is None
    assert threshold_of_recall(np.zeros(100), np.ones(100, bool), 0.9) is None
