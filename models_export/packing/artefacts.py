"""What stands beside a pack's run folder for those who set it up: how it was calibrated, which other thresholds there
are, and which part of its answers to leave to people.

The pack itself needs none of it; its manifest has the calibration and the thresholds in force.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from models_export.evaluation import plots
from models_export.evaluation.devset import DevSet
from models_export.evaluation.pack_figures import round_figures
from models_export.measures import confusion, levels
from models_export.measures.abstain import MAX_ERROR, band_figures, choose_band
from models_export.measures.calibrate import DECIMALS, FOLDS, Calibration, scalings
from models_export.measures.metrics import Scores, Truth, sigmoid
from models_export.measures.thresholds import threshold_of_precision, threshold_of_recall
from processors.packs.fusion_part import Gating

CALIBRATION_FILE = "calibration.json"
THRESHOLDS_FILE = "thresholds.json"
GATING_FILE = "gating_policy.json"
PLOTS = "reliability"

PRECISIONS = (0.8, 0.9)
RECALLS = (0.8, 0.9)

FITTED_ON = "the dev rows whose id has an even SHA-256, of the sets that were trained on; measured on the others"
METHOD = "probability = sigmoid((logit + bias) / temperature), of three decimals; a bias only where it helps"


def write_artefacts(
    folder: Path,
    dev: DevSet,
    calibration: Mapping[str, Calibration],
    thresholds: Mapping[str, float],
    manifest: Mapping[str, Any],
) -> None:
    """Write calibration.json, thresholds.json, gating_policy.json and reliability/<head>.svg.

    `calibration` and `thresholds` have the same heads. Files of an earlier pack are replaced.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / PLOTS).mkdir(exist_ok=True)
    for old in (folder / PLOTS).glob("*.svg"):
        old.unlink()
    cards: dict[str, Any] = {}
    choices: dict[str, Any] = {}
    for head, fitted in calibration.items():
        rows = Rows.of(dev, head, fitted)
        cards[head] = rows.card(fitted)
        choices[head] = rows.choices(thresholds[head])
        (folder / PLOTS / f"{head}.svg").write_text(rows.plot(), encoding="utf-8")
    _write(folder / CALIBRATION_FILE, {"method": METHOD, "fitted_on": FITTED_ON, "folds": FOLDS, "heads": cards})
    _write(folder / THRESHOLDS_FILE, {"fitted_on": FITTED_ON, "max_error_outside_band": MAX_ERROR, "heads": choices})
    # What the manifest leaves out has the defaults of the code.
    gating = msgspec.convert(manifest.get("gating", {}), Gating)
    _write(folder / GATING_FILE, msgspec.to_builtins(gating))


class Rows(msgspec.Struct, frozen=True, kw_only=True):
    """What one head says of the rows that judge it: those to choose on, and those to measure on."""

    logits: np.ndarray
    chosen_on: Truth
    chosen_scores: Scores
    measured_on: Truth
    measured_scores: Scores
    measured_before: Scores

    @classmethod
    def of(cls, dev: DevSet, head: str, fitted: Calibration) -> Rows:
        column = dev.heads.index(head)
        judged = dev.judged(head) & dev.trained
        choosing, measuring = judged & dev.fitting, judged & ~dev.fitting
        return cls(
            logits=dev.logits[choosing, column],
            chosen_on=dev.truth[choosing, column] == 1,
            chosen_scores=fitted(dev.logits[choosing, column]),
            measured_on=dev.truth[measuring, column] == 1,
            measured_scores=fitted(dev.logits[measuring, column]),
            measured_before=sigmoid(dev.logits[measuring, column]).round(DECIMALS),
        )

    def card(self, fitted: Calibration) -> dict[str, Any]:
        before = levels.level_counts(self.measured_before, self.measured_on)
        after = levels.level_counts(self.measured_scores, self.measured_on)
        return {
            "temperature": fitted.temperature,
            "bias": fitted.bias,
            "rows": {"fitted": len(self.chosen_on), "measured": len(self.measured_on)},
            **round_figures(
                {
                    "cross_validated_loss": dataclasses.asdict(scalings(self.logits, self.chosen_on)),
                    "calibration_error": {
                        "before": float(levels.calibration_error(before)),
                        "after": float(levels.calibration_error(after)),
                    },
                    "brier": {"before": float(levels.brier(before)), "after": float(levels.brier(after))},
                }
            ),
        }

    def choices(self, threshold: float) -> dict[str, Any]:
        """The threshold in force (of the best macro-F1), those for a precision or a recall, and the band to abstain
        in; each chosen on one half and measured on the other. None where no threshold gets there."""
        scores, truth = self.chosen_scores, self.chosen_on
        others = {
            **{f"precision_{aim}": threshold_of_precision(scores, truth, aim) for aim in PRECISIONS},
            **{f"recall_{aim}": threshold_of_recall(scores, truth, aim) for aim in RECALLS},
        }
        band = choose_band(scores, truth, threshold)
        return round_figures(
            {
                "macro_f1": self._measured(threshold),
                **{aim: None if found is None else self._measured(found) for aim, found in others.items()},
                "abstain": {
                    "low": band.low,
                    "high": band.high,
                    **msgspec.to_builtins(band_figures(band, self.measured_scores, self.measured_on)),
                },
            }
        )

    def plot(self) -> str:
        """The reliability diagram of the measuring rows."""
        series: list[tuple[str, plots.Line]] = []
        for name, scores in (("calibrated", self.measured_scores), ("before", self.measured_before)):
            bins = levels.reliability(levels.level_counts(scores, self.measured_on))
            series.append((name, [(said, true) for said, true, _ in bins]))
        return plots.lines(series, "mean probability", "share of positives", diagonal=True)

    def _measured(self, threshold: float) -> dict[str, float]:
        cells = confusion.cells(self.measured_scores > threshold, self.measured_on)
        return {
            "threshold": threshold,
            "macro_f1": float(confusion.macro_f1(cells)),
            "precision": float(confusion.precision(cells)),
            "recall": float(confusion.recall(cells)),
            "false_positive_rate": float(confusion.false_positive_rate(cells)),
        }


def _write(path: Path, value: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
