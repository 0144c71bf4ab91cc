"""What is written beside a pack: needs pandas, as everything that knows the text pool does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from models_export.measures.calibrate import Calibration, choose_threshold, fit_calibration
from models_export.measures.metrics import sigmoid

if TYPE_CHECKING:
    from models_export.evaluation.devset import DevSet

ROWS = 4_000


@pytest.fixture(scope="session")
def dev() -> DevSet:
    """Two heads on four thousand rows, whose logits are twice as sure as they may be; the second is too low as well."""
    pytest.importorskip("pandas")
    from models_export.evaluation.devset import DevSet
    from models_export.evaluation.scoring import LabelledText

    rng = np.random.default_rng(1)
    logits = rng.normal(-0.3, 1.5, (ROWS, 2))
    truth = (rng.random((ROWS, 2)) < sigmoid(logits)).astype(np.float32)
    return DevSet(
        texts=[LabelledText(str(at), "") for at in range(ROWS)],
        sets=np.array(["one", "two"])[np.arange(ROWS) % 2],
        langs=np.full(ROWS, "en"),
        trained=np.arange(ROWS) % 10 != 0,
        fitting=rng.random(ROWS) < 0.5,
        truth=truth,
        logits=(2 * logits - [0, 3]).astype(np.float32),
        heads=("abuse", "target.race"),
    )


@pytest.fixture(scope="session")
def written(dev: DevSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from models_export.packing.artefacts import write_artefacts

    calibration: dict[str, Calibration] = {}
    thresholds: dict[str, float] = {}
    for column, head in enumerate(dev.heads):
        rows = dev.fitting & dev.trained
        logits, truth = dev.logits[rows, column], dev.truth[rows, column] == 1
        calibration[head] = fit_calibration(logits, truth)
        thresholds[head] = choose_threshold(calibration[head](logits), truth, dev.pairs[rows])
    folder = tmp_path_factory.mktemp("run") / "artefacts"
    write_artefacts(folder, dev, calibration, thresholds, {"gating": {"least": 0.2}})
    return folder


def read(path: Path) -> Any:
    return json.loads(path.read_bytes())


def test_calibration_says_what_it_gains_and_why_it_has_a_bias(written: Path) -> None:
    heads = read(written / "calibration.json")["heads"]
    assert heads["abuse"]["bias"] == 0
    assert heads["abuse"]["temperature"] == pytest.approx(2.0, rel=0.1)
    assert heads["target.race"]["bias"] == pytest.approx(3.0, rel=0.1)
    for head in heads.values():
        assert head["calibration_error"]["after"] < head["calibration_error"]["before"]
        assert head["brier"]["after"] < head["brier"]["before"]
        assert head["cross_validated_loss"]["temperature"] < head["cross_validated_loss"]["none"]
    loss = heads["target.race"]["cross_validated_loss"]
    assert loss["vector"] < loss["temperature"] - 0.01


def test_thresholds_reach_on_other_rows_about_what_they_were_chosen_for(written: Path) -> None:
    for head in read(written / "thresholds.json")["heads"].values():
        assert head["precision_0.9"]["precision"] == pytest.approx(0.9, abs=0.06)
        assert head["recall_0.9"]["recall"] == pytest.approx(0.9, abs=0.06)
        others = [of["macro_f1"] for name, of in head.items() if name.startswith(("precision", "recall"))]
        assert head["macro_f1"]["macro_f1"] >= max(others) - 0.02


def test_the_band_states_its_error(written: Path) -> None:
    for head in read(written / "thresholds.json")["heads"].values():
        band = head["abstain"]
        assert band["low"] < head["macro_f1"]["threshold"] < band["high"]
        assert band["error"]["value"] <= 0.08
        assert band["error"]["low"] < band["error"]["value"] < band["error"]["high"]
        assert 0 < band["coverage"]["value"] < 1


def test_gating_is_written_with_what_the_manifest_leaves_to_the_defaults(written: Path) -> None:
    gating = read(written / "gating_policy.json")
    assert gating["least"] == 0.2
    assert gating["ocr_confidence"].keys() == {"none", "full"}


def test_every_head_has_a_reliability_diagram(written: Path) -> None:
    plots = {path.name: path.read_text(encoding="utf-8") for path in (written / "reliability").iterdir()}
    assert plots.keys() == {"abuse.svg", "target.race.svg"}
    for plot in plots.values():
        assert plot.startswith("<svg xmlns=")
        assert plot.count("<polyline") == 3
