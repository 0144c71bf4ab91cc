"""Heads that are no labels are calibrated, measured and written down as labels are, and raise no flag by themselves."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

pytest.importorskip("pandas")
pytest.importorskip("torch")
pytest.importorskip("transformers")

from models_export.evaluation.devset import DevSet
from models_export.evaluation.pack_figures import Evaluation
from models_export.evaluation.scoring import LabelledText
from models_export.packing.build import fit

HEADS = ("abuse", "target.race", "target.age", "severity.2")
ROWS = 600


@pytest.fixture(scope="module")
def dev() -> DevSet:
    """Half of the rows are abusive, a third of these about race; nobody can tell age. Logits are surer than right."""
    rng = random.Random(3)
    rows: list[list[float]] = []
    truth: list[list[float]] = []
    for _ in range(ROWS):
        abuse = rng.random() < 0.5
        race, severe = abuse and rng.random() < 1 / 3, abuse and rng.random() < 0.5
        rows.append([2 * rng.gauss(2.0 if true else -2.0, 2.0) for true in (abuse, race)])
        rows[-1] += [rng.gauss(0.0, 1.0), 2 * rng.gauss(2.0 if severe else -2.0, 2.0)]
        truth.append([abuse, race, rng.random() < 0.5, severe if abuse else np.nan])
    return DevSet(
        texts=[LabelledText(str(at), "text") for at in range(ROWS)],
        sets=np.array(["set"] * ROWS),
        langs=np.array(["en"] * ROWS),
        trained=np.ones(ROWS, bool),
        fitting=np.arange(ROWS) % 2 == 0,
        truth=np.array(truth, np.float32),
        logits=np.array(rows, np.float32),
        heads=HEADS,
    )


@pytest.fixture(scope="module")
def fitted(dev: DevSet) -> tuple[dict[str, Any], dict[str, float], dict[str, str]]:
    return fit(dev)


def test_every_head_that_tells_its_classes_apart_is_calibrated_and_has_a_threshold(fitted: Any) -> None:
    calibration, thresholds, missing = fitted
    assert set(calibration) == set(thresholds) == {"abuse", "target.race", "severity.2"}
    assert all(found.temperature > 1.5 for found in calibration.values())
    assert set(missing) == {"target.age"}


def test_every_head_is_measured_on_the_rows_that_judge_it(dev: DevSet, fitted: Any) -> None:
    calibration, thresholds, _ = fitted
    heads = Evaluation(dev, calibration, thresholds).figures()["heads"]
    judged = int((~np.isnan(dev.truth[1::2, 3])).sum())
    assert (heads["target.race"]["rows"], heads["severity.2"]["rows"]) == (ROWS // 2, judged)
    assert heads["target.race"]["roc_auc"] > 0.8
    assert heads["target.race"]["calibration_error"] < heads["target.race"]["calibration_error_before"]


def test_only_labels_are_flags_and_count_as_calibration_of_labels(dev: DevSet, fitted: Any) -> None:
    calibration, thresholds, _ = fitted
    evaluation = Evaluation(dev, calibration, thresholds)
    over = calibration["abuse"](dev.logits[:, 0]) > thresholds["abuse"]
    assert np.array_equal(evaluation.flagged(), over)
    assert (calibration["target.race"](dev.logits[:, 1]) > thresholds["target.race"])[~over].any()
    assert evaluation.calibration_error()["judgements"] == ROWS // 2
