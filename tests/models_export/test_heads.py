from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pd = pytest.importorskip("pandas")

from models_export.text_expert.functional.drawing import Drawn  # noqa: E402
from models_export.text_expert.functional.templates import Template  # noqa: E402
from models_export.text_expert.heads import HEADS, MIN_POSITIVES, assessed, functional_targets, targets  # noqa: E402


def rows(*groups: tuple[str, str, int, int | None, list[str]]) -> Any:
    """(set, language, rows, abuse, categories) each."""
    table = [
        {
            "dataset": name,
            "lang": lang,
            "abuse": abuse,
            "hate": None,
            "categories": categories,
            "targets": categories,
            "attacks": [],
            "implicit": None,
            "severity": None,
        }
        for name, lang, count, abuse, categories in groups
        for _ in range(count)
    ]
    frame = pd.DataFrame(table)
    return frame.astype({"abuse": "Int8", "hate": "Int8", "implicit": "Int8", "severity": "Int8"})


def column(values: np.ndarray, label: str) -> np.ndarray:
    return values[:, HEADS.index(label)]


def test_abuse_is_taken_as_the_set_says_it() -> None:
    values = targets(rows(("a", "en", 2, 1, []), ("a", "en", 1, 0, []), ("a", "en", 1, None, [])))
    assert column(values, "abuse")[:3].tolist() == [1, 1, 0]
    assert np.isnan(column(values, "abuse")[3])


def test_a_set_of_one_class_gives_no_loss() -> None:
    values = targets(rows(("both", "en", 1, 1, []), ("both", "en", 1, 0, []), ("one", "en", 3, 1, [])))
    assert np.isnan(column(values, "abuse")[2:]).all()


def test_a_language_of_one_class_gives_no_loss() -> None:
    values = targets(rows(("both", "en", 2, 1, []), ("both", "en", 2, 0, []), ("both", "ru", 3, 1, [])))
    assert column(values, "abuse")[:4].tolist() == [1, 1, 0, 0]
    assert np.isnan(column(values, "abuse")[4:]).all()


def test_a_set_that_names_a_category_judges_its_other_rows_too() -> None:
    values = targets(
        rows(("a", "en", 30, 1, ["insult"]), ("a", "en", 30, 0, []), ("b", "en", 30, 1, []), ("b", "en", 5, 0, []))
    )
    assert np.nansum(column(values, "insult")) == 30
    assert (column(values, "insult")[30:60] == 0).all()
    assert np.isnan(column(values, "insult")[60:]).all()


def test_a_stray_tag_does_not_make_the_other_rows_negatives() -> None:
    values = targets(rows(("a", "en", 3, 1, ["threat"]), ("a", "en", 30, 0, [])))
    assert np.isnan(column(values, "threat")).all()


def test_a_head_needs_enough_positives_and_both_classes_on_dev() -> None:
    train = np.full((MIN_POSITIVES + 40, len(HEADS)), np.nan, np.float32)
    sets = np.where(np.arange(len(train)) < MIN_POSITIVES // 2, "one", "another")
    dev = np.full((2, len(HEADS)), np.nan, np.float32)
    for label, positives, classes in (
        ("abuse", MIN_POSITIVES, (0, 1)),
        ("hate", MIN_POSITIVES - 1, (0, 1)),
        ("insult", MIN_POSITIVES, (1, 1)),
    ):
        at = HEADS.index(label)
        train[:, at] = 0
        train[:positives, at] = 1
        dev[:, at] = classes
    assert [HEADS[at] for at in assessed(train, dev, sets)] == ["abuse"]
    assert assessed(train, dev, np.full(len(train), "one")) == []


def test_targets_are_judged_in_sets_that_name_them_and_benign_rows_have_none() -> None:
    values = targets(rows(("a", "en", 30, 1, ["race"]), ("a", "en", 30, 1, ["sex"]), ("a", "en", 30, 0, [])))
    assert column(values, "target.race")[[0, 30, 60]].tolist() == [1, 0, 0]
    assert np.isnan(column(values, "target.age")).all()


def test_severity_is_whether_it_is_at_least_so_high() -> None:
    table = rows(("a", "en", 3, 1, []), ("a", "en", 1, 0, []))
    table["severity"] = pd.array([0, 2, 3, None], dtype="Int8")
    values = targets(table)
    assert column(values, "severity.2")[:3].tolist() == [0, 1, 1]
    assert column(values, "severity.3")[:3].tolist() == [0, 0, 1]
    assert np.isnan(column(values, "severity.2")[3])


@pytest.mark.parametrize(
    ("kind", "attacks", "expected"),
    [
        (
            "derogation",
            ("contempt",),
            {"abuse": 1, "hate": 1, "insult": None, "target.age": 1, "target.race": 0, "attack.contempt": 1}
            | {"attack.slurs": None, "implicit": 0, "severity.2": None},
        ),
        ("stereotype_implicit", (), {"abuse": 1, "hate": 1, "implicit": 1, "attack.contempt": None}),
        ("insult_person", (), {"abuse": 1, "hate": 0, "insult": 1, "target.age": 0, "attack.slurs": 0, "implicit": 0}),
        (
            "counter_quote",
            (),
            {"abuse": 0, "hate": 0, "insult": 0, "target.age": 0, "attack.slurs": 0, "implicit": None},
        ),
    ],
)
def test_a_sentence_of_ours_says_of_each_head_what_its_kind_and_fillers_say(
    kind: str, attacks: tuple[str, ...], expected: dict[str, int | None]
) -> None:
    drawn = Drawn("en", "text", Template(kind, "text", attacks), ("age",))
    said = dict(zip(HEADS, functional_targets(drawn).tolist(), strict=True))
    assert {head: None if np.isnan(said[head]) else said[head] for head in expected} == expected
