"""Late fusion: weights that are found again, and figures that do not leak."""

from __future__ import annotations

import numpy as np
import pytest

from models_export.fusion.stacking import Rows, compare, cross_validated, fit, folds_of, highest, stacked
from models_export.measures.metrics import ranking_quality, sigmoid

ROWS = 600


def rows_with(*, image_says: float, seed: int = 1) -> Rows:
    """Hate that the text tells a little, and the image as much as `image_says`."""
    random = np.random.default_rng(seed)
    inputs = {name: random.normal(size=ROWS) for name in ("whole", "image.sexual")} | {
        "ocr": np.zeros(ROWS),
        "no_ocr": np.zeros(ROWS),
    }
    odds = 0.8 * inputs["whole"] + image_says * inputs["image.sexual"]
    return Rows(random.random(ROWS) < sigmoid(odds), np.array([f"g{at}" for at in range(ROWS)]), inputs)


def test_the_weights_that_made_the_labels_are_found_again() -> None:
    found = fit(rows_with(image_says=1.5), ["whole", "image.sexual"])
    assert found.weights["whole"] == pytest.approx(0.8, abs=0.25)
    assert found.weights["image.sexual"] == pytest.approx(1.5, abs=0.25)
    assert found.bias == pytest.approx(0.0, abs=0.25)


def test_an_input_that_never_varies_gets_no_weight() -> None:
    assert fit(rows_with(image_says=1.0), ["whole", "no_ocr"]).weights["no_ocr"] == 0.0


def test_rows_of_one_group_are_in_one_fold() -> None:
    groups = np.array([f"g{at % 40}" for at in range(400)])
    folds = folds_of(groups)
    assert all(len(set(folds[groups == name].tolist())) == 1 for name in set(groups.tolist()))
    assert set(folds.tolist()) == set(range(10))


def test_what_is_only_known_from_a_row_itself_gains_nothing() -> None:
    random = np.random.default_rng(3)
    noise = {f"n{at}": random.normal(size=ROWS) for at in range(40)}
    rows = Rows(random.random(ROWS) < 0.5, np.arange(ROWS).astype(str), noise)
    fitted = ranking_quality(stacked(sorted(noise))(rows, rows), rows.truth)
    unseen, _ = cross_validated(rows, stacked(sorted(noise)))
    assert fitted > 0.6
    assert abs(ranking_quality(unseen, rows.truth) - 0.5) < 0.07


def test_a_gain_has_an_interval_that_says_whether_it_is_one() -> None:
    for image_says, gains in ((1.5, True), (0.0, False)):
        rows = rows_with(image_says=image_says)
        found = compare(rows, {"a": highest(["whole"]), "b": stacked(["whole", "image.sexual"])}, "a")
        assert (found["b"]["auc_gain"]["low"] > 0) is gains
        assert found["a"]["auc_gain"] == {"low": 0.0, "high": 0.0}
        assert found["b"]["auc"]["low"] < found["b"]["auc"]["value"] < found["b"]["auc"]["high"]


def test_a_few_rows_have_intervals_though_some_resamples_lack_a_class() -> None:
    rows = Rows(np.array([True, False, False]), np.array(["a", "b", "c"]), {"x": np.array([0.9, 0.1, 0.2])})
    found = compare(rows, {"x": highest(["x"])}, "x")["x"]
    assert found["auc"] == {"value": 1.0, "low": 1.0, "high": 1.0}
    assert found["auc_gain"] == {"low": 0.0, "high": 0.0}


def test_rows_of_one_class_are_refused() -> None:
    rows = Rows(np.array([True, True]), np.array(["a", "b"]), {"x": np.array([0.9, 0.1])})
    with pytest.raises(ValueError, match="2 of 2 rows hold the label; expected some that do and some not"):
        compare(rows, {"x": highest(["x"])}, "x")
