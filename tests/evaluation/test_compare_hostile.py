"""Comparisons of runs that somebody cut off, mixed up or made with another pack, and of items that are no news."""

from __future__ import annotations

import lzma
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from models_export.evaluation.hatecheck import ENGLISH, read_suites
from models_export.evaluation.judgement.compare import Comparison, Difference, compared
from models_export.evaluation.judgement.prediction import Prediction, encode_prediction, read_predictions
from models_export.evaluation.judgement.suite import Average, Suite
from models_export.evaluation.labelled_media import SuiteError
from models_export.evaluation.plots import differences
from models_export.measures.abstain import band_figures, choose_band
from models_export.measures.bootstrap import Estimate
from models_export.measures.levels import calibration_error, level_counts, reliability
from tests.evaluation.predictions import prediction, world


def suite(**fields: Any) -> Suite:
    return Suite(name="tiny", about="", read=lambda _: [], labels=("hate",), groups=("lang",), **fields)


def test_more_is_not_drawn_as_better() -> None:
    # Of false positives, review rates and Brier scores, less is better.
    up, down = (differences([("Brier", Estimate(value, value - 0.01, value + 0.01))], "") for value in (0.1, -0.1))
    chance = differences([("Brier", Estimate(0.0, -0.1, 0.1))], "")
    colours = [set(re.findall("fill='(#[0-9a-f]+)'", drawn)) for drawn in (up, down, chance)]
    assert colours[0] == colours[1] != colours[2]


def named(found: Comparison, name: str) -> Difference:
    [one] = [of for of in found.overall if of.name == name]
    return one


def width(of: Difference) -> float:
    assert of.difference.low is not None
    assert of.difference.high is not None
    return of.difference.high - of.difference.low


def repeated(items: Sequence[Prediction], times: int) -> list[Prediction]:
    return [replace(of, id=f"{of.id}+{at}", groups={**of.groups, "copy": of.id}) for of in items for at in range(times)]


def test_near_duplicates_make_nothing_surer() -> None:
    a, b = world(200, seed=1), world(200, seed=3)
    once = compared(suite(), a, b)
    blind = compared(suite(), repeated(a, 9), repeated(b, 9))
    aware = compared(suite(together="copy"), repeated(a, 9), repeated(b, 9))
    assert aware.together == "copy"
    for name in ("hate: macro-F1", "hate: ROC-AUC", "review rate"):
        assert named(aware, name).difference.value == pytest.approx(named(once, name).difference.value)
        assert width(named(blind, name)) < 0.5 * width(named(once, name))
        assert width(named(aware, name)) == pytest.approx(width(named(once, name)), rel=0.2)


def test_items_without_such_a_group_are_drawn_by_themselves() -> None:
    a, b = world(200, seed=1), world(200, seed=3)
    assert width(named(compared(suite(together="copy"), a, b), "hate: accuracy")) == pytest.approx(
        width(named(compared(suite(), a, b), "hate: accuracy")), rel=0.2
    )


def test_a_paired_difference_is_that_of_the_same_resamples() -> None:
    # By hand: b is right where a is, and on one item of four besides; the difference is the share of that item in a
    # resample, whose standard deviation is sqrt(p (1 - p) / n).
    rows = 400
    a = [prediction(str(at), at % 2, 0.9 if at % 4 else 0.1 + 0.8 * (1 - at % 2)) for at in range(rows)]
    b = [prediction(str(at), at % 2, 0.9 if at % 4 else 0.1) for at in range(rows)]
    found = named(compared(suite(), a, b), "hate: accuracy")
    assert found.difference.value == pytest.approx(0.25)
    assert width(found) == pytest.approx(2 * 1.96 * np.sqrt(0.25 * 0.75 / rows), rel=0.15)


def test_only_what_is_in_the_core_of_both_packs_is_compared_over_all() -> None:
    of = suite(core=("seen", "trained"), averages=(Average("mean", "hate", "pair", "seen", "trained"),))
    a, b = world(300, seed=1), world(300, seed=3)
    for at, (one, other) in enumerate(zip(a, b, strict=True)):
        pair = "x" if at % 2 else "y"
        a[at] = replace(one, groups={"pair": pair, "seen": "trained"})
        b[at] = replace(other, groups={"pair": pair, "seen": "trained" if at % 2 else "zero-shot"})
    for left, right in ((a, b), (b, a)):
        found = compared(of, left, right)
        assert named(found, "hate: accuracy").items == 150
        assert named(found, "mean: macro-F1").items == 150


def test_groups_that_differ_between_the_runs_are_no_error() -> None:
    of = suite(averages=(Average("mean", "hate", over="lang"),))
    a = world(300)
    b = [replace(one, groups={"lang": "en"}) for one in world(300)]
    found = compared(of, a, b)
    assert named(found, "mean: macro-F1").items == 100
    assert {one.name.partition(",")[0] for one in found.groups["lang"]} == {"en"}


@pytest.mark.parametrize("count", [1, 2])
def test_a_handful_of_items_of_one_class_has_figures_and_no_error(count: int) -> None:
    items = [prediction(str(at), 0, 0.1) for at in range(count)]
    found = compared(suite(), items, items)
    assert named(found, "hate: accuracy").difference.value == 0.0
    assert named(found, "hate: ROC-AUC").difference.value is None


def written(path: Path, lines: Sequence[bytes]) -> Path:
    path.write_bytes(b"\n".join(lines))
    return path


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda lines: [*lines[:-1], lines[-1][:40]], "line 3"),
        (lambda lines: [*lines, lines[1]], "two predictions of item-1"),
        (lambda lines: [lines[0].replace(b'"hate":0.', b'"hate":7.', 1)], "line 1"),
        (lambda lines: [lines[0].replace(b'"truth":{"hate":', b'"truth":{"hate":4', 1)], "line 1"),
        (lambda _: [], "no predictions in it"),
        (lambda lines: [b"\xff\xfe" + lines[0]], "line 1"),
    ],
)
def test_a_file_that_was_cut_off_or_tampered_with_is_refused(tmp_path: Path, change: Any, reason: str) -> None:
    path = written(tmp_path / "predictions.jsonl", change([encode_prediction(of) for of in world(3)]))
    with pytest.raises(SuiteError, match=reason):
        read_predictions(path)


HEADER = "functionality,test_case,label_gold,target_ident\n"


@pytest.mark.parametrize(
    "content",
    [
        HEADER + "derog_h,cats are,hateful,cats\nderog_h,cut o",
        HEADER + "derog_h,cats are,Hate,cats\n",
        HEADER + "derog_h,cats are,,cats\n",
        "functionality,test_case\nderog_h,cats are\n",
    ],
)
def test_a_suite_that_was_cut_off_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / ENGLISH
    path.parent.mkdir(parents=True)
    path.write_text(content, encoding="utf-8")
    with pytest.raises(SuiteError, match="test_suite_cases"):
        read_suites(tmp_path)


def test_a_compressed_suite_that_was_cut_off_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "named/multilingual_hatecheck/cases_german.csv.xz"
    path.parent.mkdir(parents=True)
    path.write_bytes(lzma.compress((HEADER + "derog_h,die hunde,hateful,dogs\n" * 50).encode())[:-20])
    with pytest.raises(SuiteError, match="cases_german"):
        read_suites(tmp_path)


def test_the_calibration_error_of_a_few_rows_is_that_on_paper() -> None:
    # Bins of 1/15: 0.1 and 0.12 in the second, 0.5 in the eighth, 1.0 in the last.
    scores, truth = np.array([0.1, 0.12, 0.5, 1.0]), np.array([False, True, True, True])
    counts = level_counts(scores, truth)
    assert calibration_error(counts) == pytest.approx((abs(1 - 0.22) + 0.5 + 0.0) / 4)
    assert reliability(counts) == [
        (pytest.approx(0.11), 0.5, 2),
        (0.5, 1.0, 1),
        (1.0, 1.0, 1),
    ]


def test_the_band_of_a_few_rows_is_that_on_paper() -> None:
    # With a threshold of 0.5 and no error allowed, 0.4 (true) and 0.6 (not) are left to people, and so is what is
    # between the sure ones.
    scores = np.array([0.1, 0.2, 0.4, 0.6, 0.8, 0.9])
    truth = np.array([False, False, True, False, True, True])
    band = choose_band(scores, truth, 0.5, max_error=0.0)
    assert (band.low, band.high) == (0.2, 0.8)
    figures = band_figures(band, np.array([0.1, 0.2, 0.3, 0.85]), np.array([False, True, True, True]))
    assert figures.coverage.value == 0.75
    assert figures.error.value == pytest.approx(1 / 3)
