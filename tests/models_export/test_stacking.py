"""Stacking: weights that are found again, figures that do not leak, weights in a pack only where they help."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from models_export.measures.metrics import ranking_quality, sigmoid
from models_export.stacking.__main__ import BASE_RATE, measure, write
from models_export.stacking.fit import Rows, compare, cross_validated, fit, folds_of, highest, stacked
from models_export.stacking.memes import read_memes
from processors.fuse.stacking import stacked_probability
from processors.packs import load_pack
from tests.tiny_image import add_tiny_image
from tests.tiny_pack import write_tiny_pack

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


def test_the_base_rate_moves_the_bias_alone() -> None:
    rows = rows_with(image_says=1.5)
    usual, rare = fit(rows, ["whole"]), fit(rows, ["whole"], base_rate=0.02)
    share = rows.truth.mean()
    assert rare.weights == usual.weights
    assert rare.bias - usual.bias == pytest.approx(np.log(0.02 / 0.98) - np.log(share / (1 - share)), abs=1e-5)


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


def test_stacking_helps_only_where_an_expert_adds_something() -> None:
    assert measure(rows_with(image_says=1.5))["helps"]
    assert not measure(rows_with(image_says=0.0))["helps"]


def test_weights_that_are_written_load_and_leave_a_silent_picture_alone(tmp_path: Path) -> None:
    folder = add_tiny_image(write_tiny_pack(tmp_path / "tiny"))
    before = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    rows = rows_with(image_says=1.5)
    write(load_pack(folder), rows, measure(rows))
    after = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    part = load_pack(folder).manifest.stacking
    assert part is not None
    assert {name: value for name, value in after.items() if name != "stacking"} == before
    assert "research-only" in part.training[0].licence
    # Neutral experts leave the base rate.
    assert stacked_probability(part.labels["hate"], {}) == pytest.approx(BASE_RATE, abs=0.01)


def test_a_line_that_is_no_meme_is_named(tmp_path: Path) -> None:
    file = tmp_path / "memes" / "religious" / "labels.jsonl"
    file.parent.mkdir(parents=True)
    file.write_text('{"id": "1", "image": "a.webp", "label": 1, "dup_group": ""}\n{"id": "2"}\n', encoding="utf-8")
    with pytest.raises(ValueError, match=r"labels\.jsonl:2: .*expected id, image, label and dup_group"):
        read_memes(tmp_path)
