from __future__ import annotations

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from models_export.evaluation.judgement.compare import Comparison, Difference, compared
from models_export.evaluation.judgement.prediction import Prediction
from models_export.evaluation.judgement.suite import Average, Suite
from models_export.evaluation.labelled_media import SuiteError
from models_export.measures.bootstrap import Estimate
from schemas import Action
from tests.evaluation.predictions import prediction, world

SUITE = Suite(
    name="tiny",
    about="",
    read=lambda _: [],
    labels=("hate",),
    groups=("lang",),
    averages=(Average("mean", "hate", over="lang"),),
)


def named(found: Comparison, name: str) -> Difference:
    (one,) = [of for of in found.overall if of.name == name]
    return one


def width(of: Estimate) -> float:
    assert of.low is not None
    assert of.high is not None
    return of.high - of.low


def test_a_run_does_not_differ_from_itself() -> None:
    items = world(300)
    found = compared(SUITE, items, items)
    assert found.items == 300
    assert found.resamples >= 1_000
    for of in [*found.overall, *(one for group in found.groups.values() for one in group)]:
        assert of.a == of.b
        assert of.difference == Estimate(0.0, 0.0, 0.0)


def test_a_better_judge_is_clearly_better() -> None:
    found = compared(SUITE, world(600, noise=2.0), world(600, noise=0.5))
    for name in ("hate: macro-F1", "hate: PR-AUC", "hate: ROC-AUC", "hate: accuracy", "mean: macro-F1"):
        difference = named(found, name).difference
        assert difference.low is not None
        assert difference.low > 0, name
    assert (named(found, "hate: Brier").difference.high or 0) < 0
    assert {of.name.partition(",")[0] for of in found.groups["lang"]} == {"de", "en", "fr"}


def test_judges_that_err_apart_are_not_told_apart_by_chance() -> None:
    found = compared(SUITE, world(1_000, seed=1), world(1_000, seed=3))
    difference = named(found, "hate: macro-F1").difference
    assert (difference.low or 0) < 0 < (difference.high or 0)


def test_resamples_are_paired() -> None:
    """A judge that differs in three answers of 300 differs surely, and by little; unpaired, the interval were as wide
    as that of either figure."""
    one = world(300, noise=2.0)
    wrong = [at for at, of in enumerate(one) if of.truth["hate"] == 1 and not of.says("hate")][:3]
    other = [replace(of, probabilities={"hate": 0.9}) if at in wrong else of for at, of in enumerate(one)]
    difference = named(compared(SUITE, one, other), "hate: accuracy").difference
    assert difference.value == pytest.approx(0.01)
    assert width(difference) < 0.03


def test_items_of_one_run_alone_are_left_out_and_counted() -> None:
    items = world(100)
    found = compared(SUITE, items[:90], items[20:])
    assert (found.items, found.only_a, found.only_b) == (70, 20, 10)


def test_an_item_that_one_run_could_not_judge_counts_for_neither() -> None:
    items = world(100)
    lost = [replace(items[0], probabilities={}, action=None, error="poison: cracked"), *items[1:]]
    found = compared(SUITE, items, lost)
    assert named(found, "hate: accuracy").items == named(found, "review rate").items == 99
    assert named(found, "hate: accuracy").difference.value == 0


def test_review_rates_are_compared() -> None:
    items = world(200)
    approving = [replace(of, action=Action.APPROVE) for of in items]
    difference = named(compared(SUITE, items, approving), "review rate")
    assert difference.b == 0
    assert (difference.difference.high or 0) < 0


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ([prediction("item-0", 1, 0.9, suite="another")], "of the suite another; expected tiny"),
        ([prediction("unheard of", 1, 0.9)], "no item in common"),
        ([prediction("item-0", 1, 0.9), prediction("item-1", 1, 0.9), prediction("item-2", 1, 0.9)], "not the same"),
    ],
)
def test_runs_that_cannot_be_compared_are_refused(other: Sequence[Prediction], reason: str) -> None:
    with pytest.raises(SuiteError, match=reason):
        compared(SUITE, world(3), other)
