from __future__ import annotations

import numpy as np
import pytest

from models_export.measures.calibrate import (
    BIAS_GAIN,
    Calibration,
    NotAssessable,
    choose_threshold,
    fit_calibration,
    fitting_half,
    scalings,
)
from models_export.measures.metrics import calibration_error, sigmoid


def world(rows: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Logits that are calibrated, and labels drawn from them."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(-1.0, 2.0, rows)
    return logits, rng.random(rows) < sigmoid(logits)


def test_a_row_is_in_the_same_half_whatever_its_neighbours() -> None:
    names = [f"set:{number}" for number in range(500)]
    together = fitting_half(names)
    assert [bool(fitting_half([name])[0]) for name in names] == together.tolist()


def test_the_halves_are_of_about_equal_size() -> None:
    assert 4_700 < fitting_half(f"set:{number}" for number in range(10_000)).sum() < 5_300


def test_the_half_is_the_parity_of_the_sha256_of_the_id() -> None:
    # The hashes of "a" and "b" end in bb and 9d, that of "c" in c6.
    assert fitting_half(["a", "b", "c"]).tolist() == [False, False, True]


def test_overconfident_logits_are_cooled_by_the_factor_by_which_they_are_too_large() -> None:
    logits, truth = world(40_000)
    fitted = fit_calibration(logits * 3, truth)
    assert fitted.temperature == pytest.approx(3.0, rel=0.05)
    assert fitted.bias == 0.0


def test_a_bias_is_fitted_where_all_logits_are_too_high() -> None:
    logits, truth = world(40_000)
    fitted = fit_calibration(logits * 2 + 3, truth)
    assert fitted.temperature == pytest.approx(2.0, rel=0.05)
    assert fitted.bias == pytest.approx(-3.0, rel=0.05)


def test_calibration_lowers_the_error_on_rows_it_has_not_seen() -> None:
    logits, truth = world(20_000)
    fitted = fit_calibration(logits * 4 + 1, truth)
    fresh, fresh_truth = world(20_000, seed=1)
    before = calibration_error(sigmoid(fresh * 4 + 1), fresh_truth)
    after = calibration_error(fitted(fresh * 4 + 1), fresh_truth)
    assert after < 0.01 < before


def test_probabilities_have_three_decimals() -> None:
    assert Calibration(temperature=2.0, bias=1.0)(np.array([0.0])).tolist() == [0.622]


@pytest.mark.parametrize("sign", [0, -1])
def test_a_head_that_does_not_tell_the_classes_apart_is_not_assessable(sign: int) -> None:
    logits, truth = world(5_000)
    with pytest.raises(NotAssessable, match="a positive scores above a negative in only"):
        fit_calibration(sign * logits, truth)


def test_a_head_with_a_handful_of_positives_is_not_assessable() -> None:
    with pytest.raises(NotAssessable, match="only 9 dev rows of one class"):
        fit_calibration(np.arange(100.0), np.arange(100) > 90)


def test_separable_rows_do_not_make_the_temperature_vanish() -> None:
    logits = np.linspace(-2, 2, 40)
    assert 0 < fit_calibration(logits, logits > 0).temperature < 1


def test_the_threshold_lies_between_the_classes() -> None:
    scores = np.concatenate([np.full(50, 0.2), np.full(50, 0.6)])
    truth = scores > 0.5
    threshold = choose_threshold(scores, truth, ["set"] * 100)
    assert threshold == pytest.approx(0.4, abs=0.01)


def test_the_threshold_follows_the_groups_and_not_the_rows() -> None:
    """A set with ten times the rows, scored higher throughout, must not decide for the others."""
    rng = np.random.default_rng(0)

    def group(rows: int, level: float) -> tuple[np.ndarray, np.ndarray]:
        truth = rng.random(rows) < 0.5
        return np.clip(rng.normal(np.where(truth, level + 0.1, level - 0.1), 0.08), 0, 1), truth

    parts = [group(5_000, 0.7), group(500, 0.4), group(500, 0.4)]
    groups = ["large"] * 5_000 + ["small"] * 500 + ["other"] * 500
    scores, truth = (np.concatenate([part[at] for part in parts]) for at in (0, 1))
    assert choose_threshold(scores, truth, groups) < 0.55
    assert choose_threshold(scores, truth, ["all"] * len(truth)) > 0.6


def test_a_group_of_one_class_has_no_say() -> None:
    scores = np.concatenate([np.full(50, 0.2), np.full(50, 0.6), np.full(500, 0.1)])
    truth = np.concatenate([scores[:100] > 0.5, np.ones(500, bool)])
    assert choose_threshold(scores, truth, ["both"] * 100 + ["one"] * 500) == pytest.approx(0.4, abs=0.01)


def test_without_a_group_of_both_classes_no_threshold_is_chosen() -> None:
    with pytest.raises(NotAssessable, match="choose a threshold"):
        choose_threshold(np.array([0.5]), np.array([True]), ["set"])


def test_a_bias_is_worth_it_on_other_rows_only_where_logits_lean() -> None:
    logits, truth = world(8_000)
    upright, leaning = scalings(logits * 2, truth), scalings(logits * 2 + 3, truth)
    assert upright.temperature < upright.none
    assert abs(upright.temperature - upright.vector) < BIAS_GAIN
    assert leaning.temperature - leaning.vector > 100 * BIAS_GAIN
    assert leaning.vector == pytest.approx(upright.vector, abs=1e-6)
