from __future__ import annotations

import numpy as np
import pytest

from models_export.measures import confusion, levels, metrics
from models_export.measures.bootstrap import RESAMPLES, estimate, rate, resampled


@pytest.fixture
def told() -> tuple[np.ndarray, np.ndarray]:
    """Scores with three decimals and many ties, and truths that go with them."""
    rng = np.random.default_rng(3)
    scores = rng.beta(0.6, 1.2, 4_000).round(2)
    return scores, rng.random(4_000) < scores**1.3


def test_figures_of_levels_are_those_of_the_rows(told: tuple[np.ndarray, np.ndarray]) -> None:
    scores, truth = told
    counts = levels.level_counts(scores, truth)
    assert levels.average_precision(counts) == pytest.approx(metrics.average_precision(scores, truth))
    assert levels.roc_auc(counts) == pytest.approx(metrics.ranking_quality(scores, truth))
    assert levels.calibration_error(counts) == pytest.approx(metrics.calibration_error(scores, truth))
    assert levels.brier(counts) == pytest.approx(np.mean((scores - truth) ** 2))


def test_figures_of_cells_are_those_of_the_rows(told: tuple[np.ndarray, np.ndarray]) -> None:
    scores, truth = told
    said = scores > 0.4
    cells = confusion.cells(said, truth)
    assert confusion.macro_f1(cells) == pytest.approx(metrics.macro_f1(said, truth))
    assert confusion.f1(cells) == pytest.approx(metrics.f1(said, truth))
    assert confusion.accuracy(cells) == pytest.approx((said == truth).mean())
    assert confusion.precision(cells) == pytest.approx(truth[said].mean())
    assert confusion.recall(cells) == pytest.approx(said[truth].mean())
    assert confusion.false_positive_rate(cells) == pytest.approx(said[~truth].mean())


def test_a_class_that_is_missing_makes_a_ranking_unknown_and_no_error() -> None:
    only = levels.level_counts(np.array([0.2, 0.9]), np.array([False, False]))
    assert np.isnan(levels.average_precision(only))
    assert np.isnan(levels.roc_auc(only))
    assert levels.precision_recall(only) == []


def test_a_curve_of_precision_ends_at_all_that_is_positive(told: tuple[np.ndarray, np.ndarray]) -> None:
    scores, truth = told
    curve = levels.precision_recall(levels.level_counts(scores, truth))
    recalls = [recall for recall, _ in curve]
    assert recalls == sorted(recalls)
    assert curve[-1] == (1.0, pytest.approx(truth.mean()))


def test_bins_of_a_reliability_diagram_hold_every_row_once(told: tuple[np.ndarray, np.ndarray]) -> None:
    scores, truth = told
    bins = levels.reliability(levels.level_counts(scores, truth))
    assert sum(rows for *_, rows in bins) == len(scores)
    assert sum(share * rows for _, share, rows in bins) == pytest.approx(truth.sum())


def test_an_interval_by_counts_is_that_by_rows() -> None:
    """Resampling 400 rows of which 100 hold, row by row and as a multinomial draw."""
    by_rows = rate([1] * 100 + [0] * 300, [1] * 400)
    by_counts = estimate(np.array([[300, 100]]), lambda drawn: confusion.share(drawn[..., 0, :]))
    assert by_counts.value == by_rows.value == 0.25
    assert by_counts.low == pytest.approx(by_rows.low, abs=0.01)
    assert by_counts.high == pytest.approx(by_rows.high, abs=0.01)


def test_each_group_keeps_its_size_in_every_resample() -> None:
    drawn = resampled(np.array([[5, 15], [300, 0], [0, 0]]))
    assert drawn.shape == (RESAMPLES, 3, 2)
    assert drawn.sum(axis=-1).tolist() == [[20, 300, 0]] * RESAMPLES


def test_nothing_measured_has_no_interval() -> None:
    nothing = estimate(np.zeros((1, 4), int), lambda drawn: confusion.precision(drawn[..., 0, :]))
    assert (nothing.value, nothing.low, nothing.high) == (None, None, None)
