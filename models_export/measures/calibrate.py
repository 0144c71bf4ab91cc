"""Calibration and thresholds, fitted on one half of dev; every figure comes from the other half."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models_export.measures.metrics import Scores, Truth, macro_f1, ranking_quality, sigmoid

# Probabilities have three decimals before a threshold is applied (CONTRACTS), so no finer threshold makes sense.
DECIMALS = 3
CANDIDATES = np.arange(0.02, 0.981, 0.001).round(DECIMALS)
# Scores nearly as good as the best: the threshold is the middle of the stretch around the best one that loses no more
# than this. It is one standard error of the average (bootstrap over the fitting half: 0.009 for abuse, 0.011 for hate):
# within it, the very best threshold is chance.
INDIFFERENT = 0.01
# A group with fewer rows of a class says too little about that class to weigh as much as the others.
MIN_CLASS_ROWS = 10
NEWTON_STEPS = 50
SMALLEST_STEP = 1e-12  # in coefficients and in loss: nothing that three decimals would show
# A bias is kept where it lowers the cross-validated loss by this much per row (in nats): less would be noise.
BIAS_GAIN = 5e-4
FOLDS = 5


# A label that is told apart less well than this on dev says nothing that a decision could use.
MIN_RANKING_QUALITY = 0.65


class NotAssessable(ValueError):
    """Dev does not show that a head has learnt its label; the message says why, in one sentence."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """probability = sigmoid((logit + bias) / temperature)."""

    temperature: float = 1.0
    bias: float = 0.0

    def __call__(self, logits: NDArray[np.floating]) -> Scores:
        """As decisions have them: rounded to three decimals."""
        return sigmoid((np.asarray(logits, np.float64) + self.bias) / self.temperature).round(DECIMALS)


def fitting_half(ids: Iterable[str]) -> NDArray[np.bool_]:
    """Which rows of dev settings are fitted on, by their id alone: those whose SHA-256 is even."""
    return np.array([hashlib.sha256(name.encode()).digest()[-1] % 2 == 0 for name in ids], bool)


def fit_calibration(logits: NDArray[np.floating], truth: Truth) -> Calibration:
    """The temperature, and where it helps the bias, of least cross-entropy.

    A scale and a bias of its own for each head is what is called vector scaling (Guo et al. 2017, On Calibration of
    Modern Neural Networks), as the heads are binary. It helps where cross-validation says so: see `scalings`.

    Raises `NotAssessable` where the rows are too few of a class or the logits do not tell the classes apart.
    """
    values = np.asarray(logits, np.float64)
    fewest = int(min(truth.sum(), (~truth).sum()))
    if fewest < MIN_CLASS_ROWS:
        raise NotAssessable(f"only {fewest} dev rows of one class to fit on; expected at least {MIN_CLASS_ROWS}")
    quality = ranking_quality(values, truth)
    if quality < MIN_RANKING_QUALITY:
        raise NotAssessable(
            f"on dev a positive scores above a negative in only {quality:.0%} of cases; expected at least"
            f" {MIN_RANKING_QUALITY:.0%}"
        )
    slope, _ = _newton(values[:, None], truth)
    found = scalings(values, truth)
    if slope[0] <= 0 or found.temperature - found.vector > BIAS_GAIN:
        both, _ = _newton(_with_one(values), truth)
        return Calibration(round(float(1 / both[0]), 6), round(float(both[1] / both[0]), 6))
    return Calibration(round(float(1 / slope[0]), 6))


@dataclass(frozen=True, slots=True)
class Scalings:
    """Mean cross-entropy per row in nats, on rows that the scaling was not fitted on."""

    none: float
    temperature: float
    vector: float


def scalings(logits: NDArray[np.floating], truth: Truth) -> Scalings:
    """What each way to calibrate is worth, by cross-validation in FOLDS folds; every fifth row is of the same fold.

    Rows stand by set, so that all sets are in all folds. Both classes must be in every fold's training rows.
    """
    values = np.asarray(logits, np.float64)
    folds = np.arange(len(values)) % FOLDS
    losses: dict[str, list[float]] = {"temperature": [], "vector": []}
    for name, features in (("temperature", values[:, None]), ("vector", _with_one(values))):
        for fold in range(FOLDS):
            inside = folds == fold
            weights, _ = _newton(features[~inside], truth[~inside])
            losses[name].append(_loss(features[inside] @ weights, truth[inside]) * inside.sum())
    rows = len(values)
    return Scalings(_loss(values, truth), sum(losses["temperature"]) / rows, sum(losses["vector"]) / rows)


def _with_one(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.stack([values, np.ones_like(values)], 1)


def _newton(features: NDArray[np.float64], truth: Truth) -> tuple[NDArray[np.float64], float]:
    """Logistic regression without intercept: coefficients and mean loss."""
    weights = np.zeros(features.shape[1])
    weights[0] = 1.0
    loss = _loss(features @ weights, truth)
    for _ in range(NEWTON_STEPS):
        chances = sigmoid(features @ weights)
        gradient = features.T @ (chances - truth)
        curvature = (features * (chances * (1 - chances))[:, None]).T @ features + 1e-9 * np.eye(len(weights))
        step = np.linalg.solve(curvature, gradient)
        # Far from the optimum a whole Newton step may overshoot.
        while (new := _loss(features @ (weights - step), truth)) > loss and np.abs(step).max() > SMALLEST_STEP:
            step = step / 2
        weights = weights - step
        if loss - new < SMALLEST_STEP:
            break
        loss = new
    return weights, _loss(features @ weights, truth)


def _loss(logits: NDArray[np.float64], truth: Truth) -> float:
    signed = np.where(truth, logits, -logits)
    return float(np.mean(np.logaddexp(0, -signed)))


def choose_threshold(scores: Scores, truth: Truth, groups: Sequence[str] | NDArray[np.str_]) -> float:
    """The threshold of the best macro-F1, averaged over groups: a mixture in which every (language, set) pair weighs
    the same, however many rows it has, so that no set's own idea of abuse decides for all. Groups with too few rows of
    a class have no say.

    Half of each group's weight on either class was tried as well: it lowers the threshold for abuse from 0.46 to 0.27,
    where a fifth of everyday text in most languages is flagged, and gains nothing on HateCheck.

    Raises `NotAssessable` where no group has a say.
    """
    groups = np.asarray(groups)
    voters = [inside for group in np.unique(groups) if _has_both_classes(truth[inside := groups == group])]
    if not voters:
        raise NotAssessable(f"no set has {MIN_CLASS_ROWS} dev rows of each class to choose a threshold on")
    quality = np.mean(
        [[macro_f1(scores[inside] > at, truth[inside]) for at in CANDIDATES] for inside in voters], axis=0
    )
    best = int(quality.argmax())
    near = quality >= quality[best] - INDIFFERENT
    low = high = best
    while low > 0 and near[low - 1]:
        low -= 1
    while high < len(near) - 1 and near[high + 1]:
        high += 1
    return float(CANDIDATES[(low + high) // 2])


def _has_both_classes(truth: Truth) -> bool:
    return int(min(truth.sum(), (~truth).sum())) >= MIN_CLASS_ROWS
