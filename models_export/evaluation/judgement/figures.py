"""What a set of predictions is worth: figures with 95% intervals by resampling items, from the predictions alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from models_export.evaluation.judgement.prediction import Prediction, named
from models_export.evaluation.judgement.suite import Average
from models_export.measures import confusion, levels
from models_export.measures.bootstrap import Estimate, estimate, interval, resampled
from models_export.measures.metrics import Scores, Truth, sigmoid
from schemas import ACTION_ORDER, Action

COVERAGES = 50
"""Points of a risk-coverage curve: a step of two percent."""

DECIMALS = 3


class Confusion(msgspec.Struct, frozen=True, kw_only=True):
    """Items by truth and answer."""

    true_negatives: int
    false_positives: int
    false_negatives: int
    true_positives: int


class LabelFigures(msgspec.Struct, frozen=True, kw_only=True):
    """A label over the items that have both its truth and its probability."""

    rows: int
    positives: int
    threshold: float | None
    """None where it is not the same for all items."""
    confusion: Confusion
    accuracy: Estimate
    precision: Estimate
    recall: Estimate
    false_positive_rate: Estimate
    f1: Estimate
    macro_f1: Estimate
    """Mean of the F1 of both classes."""
    average_precision: Estimate
    """Area under the precision-recall curve."""
    roc_auc: Estimate
    calibration_error: float
    """ECE with 15 bins of equal width."""
    calibration_error_before: float | None
    """The same of the text expert's logits as they come; None where there are none."""
    brier: float
    brier_before: float | None


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """What the policy does with the items that got a decision."""

    rows: int
    actions: dict[str, int]
    review_rate: Estimate
    """Share that goes to a person."""
    restricted_rate: Estimate
    """Share that goes to a person or is blocked."""


class GroupFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Items of one group."""

    review: Review
    labels: dict[str, LabelFigures]


class RiskCoverage(msgspec.Struct, frozen=True, kw_only=True):
    """The error among the surest items. An item is as sure as the probability of what is said of it."""

    coverage: list[float]
    risk: list[float]
    area: float
    """Mean risk over all coverages; less is better."""


class Curves(msgspec.Struct, frozen=True, kw_only=True):
    """What is drawn of a label."""

    reliability: list[tuple[float, float, int]]
    """Mean probability, share of positives, items; before and after are the same bins."""
    reliability_before: list[tuple[float, float, int]]
    precision_recall: list[tuple[float, float]]
    risk_coverage: RiskCoverage


class AverageFigures(msgspec.Struct, frozen=True, kw_only=True):
    macro_f1: Estimate
    groups: int


@dataclass(frozen=True, slots=True)
class Judged:
    """A label in parallel arrays of the shape [rows]."""

    said: Truth
    truth: Truth
    scores: Scores
    before: Scores | None
    thresholds: frozenset[float]


def judged(predictions: Sequence[Prediction], label: str) -> Judged | None:
    """The items that have truth and probability; None where there are none."""
    usable = [of for of in predictions if label in of.truth and of.says(label) is not None]
    if not usable:
        return None
    logits = [of.logits.get(label) for of in usable]
    known = [logit for logit in logits if logit is not None]
    return Judged(
        said=np.array([bool(of.says(label)) for of in usable]),
        truth=np.array([of.truth[label] == 1 for of in usable]),
        scores=np.array([of.probabilities[label] for of in usable]),
        before=sigmoid(np.array(known)).round(DECIMALS) if len(known) == len(usable) else None,
        thresholds=frozenset(of.thresholds[label] for of in usable),
    )


def labels_of(predictions: Sequence[Prediction]) -> list[str]:
    """Every label with truth and probability, in the order of their first."""
    return list(dict.fromkeys(label for of in predictions for label in of.truth if of.says(label) is not None))


def label_figures(found: Judged) -> LabelFigures:
    cells = confusion.cells(found.said, found.truth)
    counts = levels.level_counts(found.scores, found.truth)
    before = None if found.before is None else levels.level_counts(found.before, found.truth)

    def of_cells(figure: Callable[[NDArray[np.integer]], NDArray[np.float64]]) -> Estimate:
        return estimate(cells[None], lambda drawn: figure(drawn[..., 0, :]))

    # Rankings are the same without the levels that nothing stands at, and are drawn in less time.
    ranked = counts[:, counts.any(axis=0)]
    drawn_ranks = resampled(ranked[None])[:, 0]

    def of_ranks(figure: Callable[[NDArray[np.integer]], NDArray[np.float64]]) -> Estimate:
        value = float(figure(ranked))
        return Estimate() if np.isnan(value) else Estimate(value, *interval(figure(drawn_ranks)))

    return LabelFigures(
        rows=len(found.truth),
        positives=int(found.truth.sum()),
        threshold=next(iter(found.thresholds)) if len(found.thresholds) == 1 else None,
        confusion=Confusion(
            true_negatives=int(cells[0]),
            false_positives=int(cells[1]),
            false_negatives=int(cells[2]),
            true_positives=int(cells[3]),
        ),
        accuracy=of_cells(confusion.accuracy),
        precision=of_cells(confusion.precision),
        recall=of_cells(confusion.recall),
        false_positive_rate=of_cells(confusion.false_positive_rate),
        f1=of_cells(confusion.f1),
        macro_f1=of_cells(confusion.macro_f1),
        average_precision=of_ranks(levels.average_precision),
        roc_auc=of_ranks(levels.roc_auc),
        calibration_error=float(levels.calibration_error(counts)),
        calibration_error_before=None if before is None else float(levels.calibration_error(before)),
        brier=float(levels.brier(counts)),
        brier_before=None if before is None else float(levels.brier(before)),
    )


def curves(found: Judged) -> Curves:
    counts = levels.level_counts(found.scores, found.truth)
    return Curves(
        reliability=levels.reliability(counts),
        reliability_before=(
            [] if found.before is None else levels.reliability(levels.level_counts(found.before, found.truth))
        ),
        precision_recall=levels.precision_recall(counts),
        risk_coverage=risk_coverage(found),
    )


def risk_coverage(found: Judged) -> RiskCoverage:
    """(El-Yaniv and Wiener 2010, On the foundations of noise-free selective classification.) Items that are equally
    sure share their errors, so that their order decides nothing."""
    sure = np.where(found.said, found.scores, 1 - found.scores).round(DECIMALS)
    wrong = (found.said != found.truth).astype(float)
    _, place, rows = np.unique(-sure, return_inverse=True, return_counts=True)
    shared = (np.bincount(place, wrong) / rows)[place]
    risk = np.cumsum(shared[np.argsort(-sure, kind="stable")]) / np.arange(1, len(sure) + 1)
    ends = np.unique(np.ceil(np.arange(1, COVERAGES + 1) / COVERAGES * len(risk)).astype(int)) - 1
    return RiskCoverage(
        coverage=[float((at + 1) / len(risk)) for at in ends],
        risk=[float(risk[at]) for at in ends],
        area=float(risk.mean()),
    )


def review_of(predictions: Sequence[Prediction]) -> Review:
    actions = [of.action for of in predictions if of.action is not None]
    review = sum(action is Action.REVIEW for action in actions)
    restricted = sum(action is not Action.APPROVE for action in actions)
    return Review(
        rows=len(actions),
        actions={str(action): actions.count(action) for action in ACTION_ORDER},
        review_rate=share(review, len(actions)),
        restricted_rate=share(restricted, len(actions)),
    )


def share(of: int, among: int) -> Estimate:
    """A share of items, with its interval."""
    return estimate(np.array([[among - of, of]]), lambda drawn: confusion.share(drawn[..., 0, :]))


def group_figures(predictions: Sequence[Prediction], by: str, labels: Sequence[str]) -> dict[str, GroupFigures]:
    """By what the items are in the group `by`."""
    return {
        name: GroupFigures(
            review=review_of(members),
            labels={label: label_figures(found) for label in labels if (found := judged(members, label)) is not None},
        )
        for name, members in named(predictions, by).items()
    }


def average(predictions: Sequence[Prediction], of: Average) -> AverageFigures:
    """Each group is resampled by itself."""
    cells = [confusion.cells(found.said, found.truth) for _, found in averaged(predictions, of)]
    if not cells:
        return AverageFigures(macro_f1=Estimate(), groups=0)
    return AverageFigures(
        macro_f1=estimate(np.stack(cells), lambda drawn: confusion.macro_f1(drawn).mean(axis=-1)), groups=len(cells)
    )


def averaged(predictions: Sequence[Prediction], of: Average) -> list[tuple[str, Judged]]:
    """The groups with both classes that an average is over."""
    inside = [one for one in predictions if of.among is None or one.groups.get(of.among) == of.value]
    members = ((name, judged(group, of.label)) for name, group in named(inside, of.over).items())
    return [(name, found) for name, found in members if found is not None and 0 < found.truth.sum() < len(found.truth)]


def over_labels(figures: Mapping[str, LabelFigures]) -> tuple[float | None, float | None]:
    """Of all labels together: the mean of their F1 (macro), and the F1 of all their judgements in one (micro)."""
    if not figures:
        return None, None
    one = [of.confusion for of in figures.values()]
    cells = np.array([sum(of.true_negatives for of in one), 0, 0, 0])
    cells[1:] = [sum(getattr(of, name) for of in one) for name in Confusion.__struct_fields__[1:]]
    return float(np.mean([of.f1.value or 0.0 for of in figures.values()])), float(confusion.f1(cells))
