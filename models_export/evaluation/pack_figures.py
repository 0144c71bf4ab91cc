"""What a pack can do, measured on the half of dev that nothing was fitted on, and on the functional suites."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models_export.evaluation.devset import DevSet
from models_export.evaluation.hatecheck import Suite
from models_export.measures.calibrate import Calibration
from models_export.measures.metrics import (
    Scores,
    Truth,
    average_precision,
    calibration_error,
    f1,
    macro_f1,
    ranking_quality,
    sigmoid,
)
from schemas import LABELS

# A (language, set) pair with fewer dev rows is not counted: its figure would be mostly chance.
MIN_PAIR_ROWS = 50
# Tweets collected for sentiment and the like.
EVERYDAY_SETS = ("tweeteval_benign", "xlmt_benign_8lang")
DIGITS = 4

Figures = dict[str, Any]


def round_figures(value: Any) -> Any:
    """Numbers as they are written down: NaN as None, floats to four digits."""
    if isinstance(value, dict):
        return {str(key): round_figures(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [round_figures(item) for item in value]
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return None if np.isnan(value) else round(float(value), DIGITS)
    return value


class Evaluation:
    """Figures of a calibrated pack on a scored dev set."""

    def __init__(self, dev: DevSet, calibration: Mapping[str, Calibration], thresholds: Mapping[str, float]) -> None:
        """`calibration` and `thresholds` have the same heads; others are not measured."""
        self._dev = dev
        self._calibration = calibration
        self._thresholds = thresholds
        self._labels = [head for head in thresholds if head in LABELS]
        self._scores = {head: calibration[head](dev.logits[:, dev.heads.index(head)]) for head in thresholds}

    def figures(self) -> Figures:
        pairs = self.pairs(trained=True)
        counted = [pair for pair in pairs if pair["counted"]]
        english = [pair["macro_f1"] for pair in counted if pair["lang"] == "en"]
        others = [pair["macro_f1"] for pair in counted if pair["lang"] != "en"]
        return {
            "rows": {
                "fitting": int((self._dev.fitting & self._dev.trained).sum()),
                "measuring": int((~self._dev.fitting & self._dev.trained).sum()),
                "zero_shot": int((~self._dev.trained).sum()),
            },
            "abuse_macro_f1": {
                "english": np.mean(english) if english else float("nan"),
                "english_sets": len(english),
                "other_languages": np.mean(others) if others else float("nan"),
                "other_pairs": len(others),
            },
            "pairs": pairs,
            "zero_shot_pairs": self.pairs(trained=False),
            "heads": {head: self.head(head) for head in self._thresholds},
            "calibration_error": self.calibration_error(),
            "benign_flagged": self.benign_flagged(),
            "everyday_flagged": self.everyday_flagged(),
        }

    def pairs(self, *, trained: bool) -> list[Figures]:
        """Abuse by (language, set) pair with both classes. Pairs that were not trained on are measured on all rows."""
        dev = self._dev
        column = dev.truth[:, dev.heads.index("abuse")]
        found: list[Figures] = []
        usable = dev.judged("abuse") & (dev.trained == trained)
        for pair in np.unique(dev.pairs[usable]):
            inside = usable & (dev.pairs == pair)
            rows = inside & ~dev.fitting if trained else inside
            truth = column[rows] == 1
            if truth.all() or not truth.any():
                continue
            lang, _, name = pair.partition("/")
            said = self._scores["abuse"][rows] > self._thresholds["abuse"]
            found.append(
                {
                    "lang": lang,
                    "set": name,
                    "rows": len(truth),
                    "positives": int(truth.sum()),
                    "counted": trained and int(inside.sum()) >= MIN_PAIR_ROWS,
                    "macro_f1": macro_f1(said, truth),
                    "average_precision": average_precision(self._scores["abuse"][rows], truth),
                    "benign_flagged": share(said, ~truth),
                    "abuse_missed": share(~said, truth),
                }
            )
        return found

    def head(self, head: str) -> Figures:
        """One head over all measuring rows that judge it."""
        dev = self._dev
        rows = dev.judged(head) & dev.trained & ~dev.fitting
        truth = dev.truth[rows, dev.heads.index(head)] == 1
        scores = self._scores[head][rows]
        said = scores > self._thresholds[head]
        raw = sigmoid(dev.logits[rows, dev.heads.index(head)])
        return {
            "rows": len(truth),
            "positives": int(truth.sum()),
            "threshold": self._thresholds[head],
            "f1": f1(said, truth),
            "macro_f1": macro_f1(said, truth),
            "average_precision": average_precision(scores, truth),
            "roc_auc": ranking_quality(scores, truth),
            "precision": share(truth, said),
            "recall": share(said, truth),
            "calibration_error_before": calibration_error(raw, truth),
            "calibration_error": calibration_error(scores, truth),
        }

    def calibration_error(self) -> Figures:
        """Pooled: every judgement of every label on the measuring rows is one."""
        dev = self._dev
        rows = dev.trained & ~dev.fitting
        before: list[Scores] = []
        after: list[Scores] = []
        truths: list[Truth] = []
        for head in self._labels:
            scores = self._scores[head]
            judged = rows & dev.judged(head)
            before.append(sigmoid(dev.logits[judged, dev.heads.index(head)]))
            after.append(scores[judged])
            truths.append(dev.truth[judged, dev.heads.index(head)] == 1)
        truth = np.concatenate(truths)
        return {
            "before": calibration_error(np.concatenate(before), truth),
            "after": calibration_error(np.concatenate(after), truth),
            "judgements": len(truth),
        }

    def flagged(self) -> Truth:
        """Whether any label is over its threshold, for each row."""
        return np.any([self._scores[label] > self._thresholds[label] for label in self._labels], axis=0)

    def benign_flagged(self) -> dict[str, Figures]:
        """By language: how much of what its set calls benign gets a flag. Sets not trained on are counted apart."""
        dev = self._dev
        benign = dev.truth[:, dev.heads.index("abuse")] == 0
        flagged = self.flagged()
        result: dict[str, Figures] = {}
        for lang in np.unique(dev.langs[benign]):
            here = benign & (dev.langs == lang)
            result[str(lang)] = {
                kind: {"rows": int(rows.sum()), "flagged": share(flagged, rows)}
                for kind, rows in (("trained", here & dev.trained & ~dev.fitting), ("zero_shot", here & ~dev.trained))
                if rows.any()
            }
        return result

    def everyday_flagged(self) -> dict[str, Figures]:
        """By language: how much of everyday posts, which nobody judged, gets a flag; most of them are benign."""
        dev = self._dev
        flagged = self.flagged()
        everyday = np.isin(dev.sets, EVERYDAY_SETS)
        rows = {str(lang): everyday & (dev.langs == lang) for lang in np.unique(dev.langs[everyday])}
        return {lang: {"rows": int(here.sum()), "flagged": share(flagged, here)} for lang, here in rows.items()}

    def suite(self, suite: Suite, logits: NDArray[np.float32]) -> Figures:
        """A functional suite: a case is called hateful where hate is over its threshold. `logits`: [cases, heads]."""
        scores = self._calibration["hate"](logits[:, self._dev.heads.index("hate")])
        said = scores > self._thresholds["hate"]
        right = said == suite.hateful
        return {
            "cases": len(right),
            "accuracy": right.mean(),
            "macro_f1": macro_f1(said, suite.hateful),
            "hateful_found": share(said, suite.hateful),
            "benign_passed": share(~said, ~suite.hateful),
            "groups": {
                str(name): {
                    "cases": int((suite.target == name).sum()),
                    "hateful_found": share(said, suite.hateful & (suite.target == name)),
                    "benign_passed": share(~said, ~suite.hateful & (suite.target == name)),
                }
                for name in np.unique(suite.target)
                if name
            },
            "functionalities": {
                str(name): {
                    "cases": int((suite.functionality == name).sum()),
                    "hateful": bool(suite.hateful[suite.functionality == name].mean() > 0.5),
                    "accuracy": share(right, suite.functionality == name),
                }
                for name in np.unique(suite.functionality)
            },
        }


def share(of: Truth, among: Truth) -> float:
    """The share of `among` that is also `of`; NaN where there is none."""
    return float(of[among].mean()) if among.any() else float("nan")


def summary(figures: Figures) -> str:
    """The main figures in a few lines, for the terminal."""
    abuse, error = figures["abuse_macro_f1"], figures["calibration_error"]
    lines = [
        f"step {figures['training']['step']:,}",
        f"abuse macro-F1: {abuse['english']} mean of {abuse['english_sets']} English sets,"
        f" {abuse['other_languages']} mean of {abuse['other_pairs']} pairs of other languages",
        f"calibration error: {error['before']} before, {error['after']} after",
        *(f"HateCheck {lang}: accuracy {suite['accuracy']}" for lang, suite in figures["hatecheck"].items()),
        f"against fp32: probabilities move {figures['fidelity']['mean_move']} on average,"
        f" {figures['fidelity']['max_move']} at most",
    ]
    return "\n".join(lines)
