from __future__ import annotations

import numpy as np
import pytest

from models_export.measures.metrics import average_precision, calibration_error, f1, macro_f1, ranking_quality, sigmoid


def booleans(*values: int) -> np.ndarray:
    return np.array(values, bool)


def test_f1_is_the_harmonic_mean_of_precision_and_recall() -> None:
    # precision 2/3, recall 2/4
    assert f1(booleans(1, 1, 1, 0, 0), booleans(1, 1, 0, 1, 1)) == pytest.approx(2 * (2 / 3) * 0.5 / (2 / 3 + 0.5))


def test_f1_of_nothing_said_and_nothing_true_is_zero() -> None:
    assert f1(booleans(0, 0), booleans(0, 0)) == 0.0


def test_macro_f1_treats_both_classes_alike() -> None:
    said, truth = booleans(1, 0, 0, 0, 1), booleans(1, 0, 0, 1, 0)
    assert macro_f1(said, truth) == macro_f1(~said, ~truth)


def test_a_perfect_ranking_has_average_precision_one() -> None:
    assert average_precision(np.array([0.9, 0.8, 0.3]), booleans(1, 1, 0)) == pytest.approx(1.0)


def test_average_precision_of_equal_scores_is_the_share_of_positives_whatever_their_order() -> None:
    scores = np.full(4, 0.5)
    assert average_precision(scores, booleans(1, 0, 0, 0)) == pytest.approx(0.25)
    assert average_precision(scores, booleans(0, 0, 0, 1)) == pytest.approx(0.25)


def test_average_precision_without_positives_is_not_a_number() -> None:
    assert np.isnan(average_precision(np.array([0.1]), booleans(0)))


def test_ranking_quality_is_the_share_of_pairs_in_the_right_order() -> None:
    scores, truth = np.array([0.9, 0.4, 0.4, 0.1]), booleans(1, 1, 0, 0)
    assert ranking_quality(scores, truth) == pytest.approx(3.5 / 4)
    assert ranking_quality(-scores, truth) == pytest.approx(0.5 / 4)


def test_scores_that_are_right_as_often_as_they_say_have_no_calibration_error() -> None:
    scores = np.array([0.25] * 4 + [1.0] * 2)
    assert calibration_error(scores, booleans(1, 0, 0, 0, 1, 1)) == pytest.approx(0.0)


def test_calibration_error_is_the_gap_weighed_by_rows() -> None:
    # Three rows are 0.4 too high on average (0.9 against 0.5 is a gap of 0.4 for four of six rows).
    scores = np.array([0.9] * 4 + [0.1] * 2)
    assert calibration_error(scores, booleans(1, 1, 0, 0, 0, 0)) == pytest.approx((4 * 0.4 + 2 * 0.1) / 6)


def test_a_score_of_one_falls_into_the_last_bin() -> None:
    assert calibration_error(np.array([1.0]), booleans(1)) == 0.0


def test_sigmoid_does_not_overflow() -> None:
    with np.errstate(over="raise"):
        assert sigmoid(np.array([-1e4, 0.0, 1e4])).tolist() == [0.0, 0.5, 1.0]
