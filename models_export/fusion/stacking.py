"""Late fusion: L2-regularised logistic regression on experts' scores, by cross-validation; and what one way to judge
gains over another. numpy alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models_export.measures.bootstrap import RESAMPLES, SEED, interval
from models_export.measures.metrics import Scores, Truth, macro_f1, ranking_quality, sigmoid

Array = NDArray[np.float64]

L2 = 1.0
"""Penalty on the weights of standardised inputs, in units of one row's loss; the bias has none. With some thousand rows
and five inputs it hardly matters."""

FOLDS = 10
CUTS = np.arange(0.005, 1.0, 0.005)
NEWTON_STEPS = 50
SMALLEST_STEP = 1e-10


@dataclass(frozen=True, slots=True)
class Rows:
    """What a label is stacked from. `inputs`: name -> shape [rows]; `groups`: rows of one group show nearly the same
    picture, and are never parted between folds."""

    truth: Truth
    groups: NDArray[np.str_]
    inputs: Mapping[str, Array]


@dataclass(frozen=True, slots=True)
class Fitted:
    bias: float
    weights: Mapping[str, float]

    def __call__(self, rows: Rows) -> Scores:
        moved = [weight * rows.inputs[name] for name, weight in self.weights.items()]
        return sigmoid(self.bias + np.sum(moved, axis=0))


def fit(rows: Rows, names: Sequence[str]) -> Fitted:
    """The weights of `names`. An input that never varies gets none."""
    table = np.stack([rows.inputs[name] for name in names], axis=1)
    centre, spread = table.mean(axis=0), table.std(axis=0)
    spread[spread == 0] = np.inf
    design = np.column_stack([np.ones(len(table)), (table - centre) / spread])
    penalty = np.diag([0.0, *[L2] * len(names)])
    found = np.zeros(design.shape[1])
    for _ in range(NEWTON_STEPS):
        chances = sigmoid(design @ found)
        gradient = design.T @ (chances - rows.truth) + penalty @ found
        curvature = (design * (chances * (1 - chances))[:, None]).T @ design + penalty
        step = np.linalg.solve(curvature + 1e-9 * np.eye(len(found)), gradient)
        found = found - step
        if np.abs(step).max() < SMALLEST_STEP:
            break
    weights = found[1:] / spread
    bias = float(found[0] - weights @ centre)
    return Fitted(round(bias, 6), {name: round(float(weight), 6) for name, weight in zip(names, weights, strict=True)})


def folds_of(groups: NDArray[np.str_], folds: int = FOLDS) -> NDArray[np.int64]:
    """The fold of each row; a whole group goes into one."""
    names = np.unique(groups)
    order = np.random.default_rng(SEED).permutation(len(names))
    fold = dict(zip(names[order].tolist(), (np.arange(len(names)) % folds).tolist(), strict=True))
    return np.array([fold[name] for name in groups.tolist()])


Scorer = Callable[[Rows, Rows], Scores]
"""(fitting rows, rows to score) -> scores."""


def stacked(names: Sequence[str]) -> Scorer:
    return lambda seen, asked: fit(seen, names)(asked)


def highest(names: Sequence[str]) -> Scorer:
    """The highest of some probabilities, given as log-odds; it learns nothing."""
    return lambda _, asked: sigmoid(np.max([asked.inputs[name] for name in names], axis=0))


def cross_validated(rows: Rows, scorer: Scorer) -> tuple[Scores, Truth]:
    """Each row's score, and whether it is over the cut of the best macro-F1, both fitted on the other folds."""
    folds = folds_of(rows.groups)
    scores, said = np.zeros(len(folds)), np.zeros(len(folds), bool)
    for fold in range(FOLDS):
        seen, asked = _part(rows, folds != fold), _part(rows, folds == fold)
        known = scorer(seen, seen)
        cut = max(CUTS.tolist(), key=lambda at: macro_f1(known > at, seen.truth))
        scores[folds == fold] = scorer(seen, asked)
        said[folds == fold] = scores[folds == fold] > cut
    return scores, said


def compare(rows: Rows, scorers: Mapping[str, Scorer], baseline: str) -> dict[str, Any]:
    """`compare_judged` of cross-validated scorers."""
    found = {name: cross_validated(rows, scorer) for name, scorer in scorers.items()}
    return compare_judged(found, rows.truth, rows.groups, baseline)


def compare_judged(
    found: Mapping[str, tuple[Scores, Truth]], truth: Truth, groups: NDArray[np.str_], baseline: str
) -> dict[str, Any]:
    """Name -> AUC and macro-F1 with 95% intervals, and by how much each beats `baseline`; resampled by groups, the same
    for all (paired).

    `found`: name -> each row's score, and whether the label is said of it. A resample without both classes has no AUC.
    Raises ValueError for rows of one class.
    """
    if not 0 < truth.sum() < len(truth):
        raise ValueError(f"{int(truth.sum())} of {len(truth)} rows hold the label; expected some that do and some not")
    drawn = _resamples(groups)
    auc = {name: np.array([ranking_quality(own[at], truth[at]) for at in drawn]) for name, (own, _) in found.items()}
    f1 = {name: np.array([macro_f1(own[at], truth[at]) for at in drawn]) for name, (_, own) in found.items()}
    return {
        name: {
            "auc": _estimate(ranking_quality(scores, truth), auc[name]),
            "macro_f1": _estimate(macro_f1(said, truth), f1[name]),
            "auc_gain": _interval(auc[name] - auc[baseline]),
            "macro_f1_gain": _interval(f1[name] - f1[baseline]),
        }
        for name, (scores, said) in found.items()
    }


def _resamples(groups: NDArray[np.str_]) -> list[NDArray[np.int64]]:
    members = [np.flatnonzero(groups == name) for name in np.unique(groups)]
    random = np.random.default_rng(SEED)
    picks = random.integers(len(members), size=(RESAMPLES, len(members)))
    return [np.concatenate([members[at] for at in pick]) for pick in picks]


def _part(rows: Rows, chosen: NDArray[np.bool_]) -> Rows:
    inputs = {name: values[chosen] for name, values in rows.inputs.items()}
    return Rows(rows.truth[chosen], rows.groups[chosen], inputs)


def _estimate(value: float, resampled: Array) -> dict[str, float]:
    return {"value": round(value, 4), **_interval(resampled)}


def _interval(resampled: Array) -> dict[str, float]:
    low, high = interval(resampled)
    return {"low": round(low, 4), "high": round(high, 4)}
