"""`report.json`: all figures of a suite, from its predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from models_export.evaluation.judgement.figures import (
    AverageFigures,
    Curves,
    GroupFigures,
    LabelFigures,
    Review,
    average,
    curves,
    group_figures,
    judged,
    label_figures,
    labels_of,
    over_labels,
    review_of,
)
from models_export.evaluation.judgement.prediction import Prediction
from models_export.evaluation.judgement.suite import Cell, Suite


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """With what the predictions were made."""

    code: str
    pack: str
    policy: str
    seconds: float
    """Wall time of the chain."""


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    reason: str


class Baseline(msgspec.Struct, frozen=True, kw_only=True):
    labels: dict[str, LabelFigures]
    averages: dict[str, AverageFigures]


class Report(msgspec.Struct, frozen=True, kw_only=True):
    suite: str
    made: Made
    items: int
    posts_per_s: float
    failed: list[Problem]
    """Items that got no decision; they are in no figure."""
    unjudged: int
    """Items with a decision and without any probability: there was nothing to judge."""
    review: Review
    macro_f1: float | None
    """Mean over the labels of the F1 of each."""
    micro_f1: float | None
    """F1 of all judgements of all labels."""
    labels: dict[str, LabelFigures]
    averages: dict[str, AverageFigures]
    groups: dict[str, dict[str, GroupFigures]]
    own: Mapping[str, Mapping[str, Mapping[str, Cell]]]
    baselines: dict[str, Baseline]
    curves: dict[str, Curves]


def report_of(
    suite: Suite, made: Made, predictions: Sequence[Prediction], baselines: Mapping[str, Sequence[Prediction]]
) -> Report:
    core = core_of(suite, predictions)
    found = {label: of for label in labels_of(core) if (of := judged(core, label)) is not None}
    labels = {label: label_figures(of) for label, of in found.items()}
    macro, micro = over_labels(labels)
    return Report(
        suite=suite.name,
        made=made,
        items=len(predictions),
        posts_per_s=len(predictions) / made.seconds if made.seconds else 0.0,
        failed=[Problem(id=of.id, reason=of.error) for of in predictions if of.error is not None],
        unjudged=sum(of.error is None and not of.probabilities for of in predictions),
        review=review_of(core),
        macro_f1=macro,
        micro_f1=micro,
        labels=labels,
        averages={of.name: average(predictions, of) for of in suite.averages},
        groups={by: group_figures(predictions, by, suite.labels) for by in suite.groups},
        own=suite.own(predictions),
        baselines={
            name: Baseline(
                labels=_labels(core_of(suite, said), list(labels)),
                averages={of.name: average(said, of) for of in suite.averages},
            )
            for name, said in baselines.items()
        },
        curves={label: curves(found[label]) for label in suite.labels if label in found},
    )


def core_of(suite: Suite, predictions: Sequence[Prediction]) -> Sequence[Prediction]:
    """The items that the figures over all are of."""
    if suite.core is None:
        return predictions
    by, name = suite.core
    return [of for of in predictions if of.groups.get(by) == name]


def _labels(predictions: Sequence[Prediction], labels: Sequence[str]) -> dict[str, LabelFigures]:
    return {label: label_figures(of) for label in labels if (of := judged(predictions, label)) is not None}
