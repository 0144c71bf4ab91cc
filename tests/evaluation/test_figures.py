from __future__ import annotations

import numpy as np
import pytest

from models_export.evaluation.judgement.figures import (
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
from models_export.evaluation.judgement.report import Made, report_of
from models_export.evaluation.judgement.suite import Average, Suite
from models_export.measures.metrics import macro_f1
from schemas import Action
from tests.evaluation.predictions import prediction, scores, truths, world

MADE = Made(code="1", pack="tiny@1", policy="default@1", seconds=2.0)


def figures_of(predictions: list[Prediction], label: str = "hate"):  # noqa: ANN201
    found = judged(predictions, label)
    assert found is not None
    return label_figures(found)


def test_figures_are_those_of_the_answers() -> None:
    items = world(500)
    figures = figures_of(items)
    assert figures.rows == 500
    assert figures.positives == truths(items).sum()
    assert figures.threshold == 0.5
    assert figures.macro_f1.value == pytest.approx(macro_f1(scores(items) > 0.5, truths(items)))
    assert figures.macro_f1.low is not None
    assert figures.macro_f1.high is not None
    assert figures.macro_f1.low < (figures.macro_f1.value or 0) < figures.macro_f1.high


def test_a_probability_on_its_threshold_is_not_over_it() -> None:
    assert prediction("1", 1, 0.5).says("hate") is False
    assert prediction("1", 1, 0.501).says("hate") is True


def test_items_without_truth_or_probability_are_in_no_figure() -> None:
    items = [
        *world(60),
        prediction("nobody judged it", 0, 0.9, truth={}),
        prediction("nothing to judge", 1, 0.9, probabilities={}),
        prediction("another label", 1, 0.9, truth={"spam": 1}),
    ]
    assert figures_of(items).rows == 60
    assert labels_of(items) == ["hate"]
    assert judged(items, "spam") is None


def test_thresholds_that_differ_are_followed_item_by_item() -> None:
    items = [prediction("1", 1, 0.4, thresholds={"hate": 0.3}), prediction("2", 0, 0.4)]
    figures = figures_of(items)
    assert figures.threshold is None
    assert figures.accuracy.value == 1.0


def test_calibration_is_measured_before_and_after() -> None:
    items = [prediction(str(at), int(at % 10 < 7), 0.7, logits={"hate": 9.0}) for at in range(100)]
    figures = figures_of(items)
    assert figures.calibration_error == pytest.approx(0.0)
    assert figures.calibration_error_before == pytest.approx(0.3, abs=0.001)
    assert figures.brier == pytest.approx(0.21)
    assert figures.brier_before == pytest.approx(0.3, abs=0.001)


def test_without_logits_there_is_no_before() -> None:
    assert figures_of(world(50)).calibration_error_before is None


def test_the_surest_items_are_wrong_least() -> None:
    found = judged(world(2_000), "hate")
    assert found is not None
    risk = curves(found).risk_coverage
    assert risk.coverage[-1] == 1.0
    assert risk.risk[-1] == pytest.approx(float(np.mean(found.said != found.truth)))
    assert risk.risk[9] < risk.risk[24] < risk.risk[-1]
    assert risk.area < risk.risk[-1]


def test_equally_sure_items_share_their_errors() -> None:
    """Whichever of them comes first."""
    items = [prediction("right", 1, 0.8), prediction("wrong", 0, 0.8)]
    for ordered in (items, items[::-1]):
        found = judged(ordered, "hate")
        assert found is not None
        assert set(curves(found).risk_coverage.risk) == {0.5}


def test_review_rates_count_what_the_policy_did() -> None:
    actions = [Action.APPROVE] * 5 + [Action.REVIEW] * 3 + [Action.BLOCK, None]
    review = review_of([prediction(str(at), 0, 0.1, action=action) for at, action in enumerate(actions)])
    assert review.rows == 9
    assert review.actions == {"approve": 5, "review": 3, "block": 1}
    assert review.review_rate.value == pytest.approx(3 / 9)
    assert review.restricted_rate.value == pytest.approx(4 / 9)


def test_groups_have_their_own_figures() -> None:
    groups = group_figures(world(90), "lang", ("hate",))
    assert list(groups) == ["de", "en", "fr"]
    assert [of.labels["hate"].rows for of in groups.values()] == [30, 30, 30]


def test_an_average_counts_each_group_the_same_and_leaves_out_those_of_one_class() -> None:
    good = [prediction(f"a{at}", at % 2, 0.9 * (at % 2), groups={"pair": "a", "kind": "x"}) for at in range(40)]
    bad = [prediction(f"b{at}", at % 2, 0.9, groups={"pair": "b", "kind": "x"}) for at in range(400)]
    single = [prediction(f"c{at}", 1, 0.9, groups={"pair": "c", "kind": "x"}) for at in range(40)]
    other = [prediction(f"d{at}", at % 2, 0.9, groups={"pair": "d", "kind": "y"}) for at in range(40)]
    found = average([*good, *bad, *single, *other], Average("mean", "hate", over="pair", among="kind", value="x"))
    assert found.groups == 2
    assert found.macro_f1.value == pytest.approx((1.0 + 1 / 3) / 2)


def test_micro_f1_weighs_judgements_and_macro_f1_labels() -> None:
    often = [prediction(f"a{at}", 1, 0.9) for at in range(90)]
    seldom = [
        prediction(f"b{at}", 0, 0, truth={"spam": 1}, probabilities={"spam": 0.1}, thresholds={"spam": 0.5})
        for at in range(10)
    ]
    figures = {label: figures_of([*often, *seldom], label) for label in ("hate", "spam")}
    macro, micro = over_labels(figures)
    assert macro == pytest.approx(0.5)
    assert micro == pytest.approx(2 * 90 / (2 * 90 + 10))


def test_a_report_names_what_failed_and_leaves_it_out() -> None:
    suite = Suite(name="tiny", about="", read=lambda _: [], labels=("hate",), groups=("lang",))
    failed = prediction("gone", 1, 0.9, probabilities={}, action=None, error="poison: cracked")
    empty = prediction("empty", 0, 0.9, probabilities={})
    report = report_of(suite, MADE, [*world(40), failed, empty], {})
    assert [(of.id, of.reason) for of in report.failed] == [("gone", "poison: cracked")]
    assert report.unjudged == 1
    assert report.labels["hate"].rows == 40
    assert report.review.rows == 41


def test_figures_over_all_are_of_the_core_alone() -> None:
    suite = Suite(name="tiny", about="", read=lambda _: [], labels=("hate",), groups=("edit",), core=("edit", "none"))
    items = [prediction(str(at), 1, 0.9, groups={"edit": ("none", "typos")[at % 2]}) for at in range(20)]
    report = report_of(suite, MADE, items, {})
    assert report.labels["hate"].rows == report.review.rows == 10
    assert set(report.groups["edit"]) == {"none", "typos"}
