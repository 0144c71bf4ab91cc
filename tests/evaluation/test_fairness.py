from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from models_export.evaluation.judgement.prediction import Prediction
from models_export.evaluation.judgement.suite import Cell, Item, Source, Table, smaller
from models_export.evaluation.labelled_media import SuiteError
from models_export.evaluation.suites import fairness
from models_export.evaluation.suites.identity_terms import UNKNOWN, group_of, term_of
from models_export.measures.bootstrap import Estimate
from processors.packs import load_pack
from schemas import Post
from tests.evaluation.predictions import prediction
from tests.tiny_pack import write_tiny_pack


def phrase(name: str, truth: int, probability: float, group: str, term: str = "", lang: str = "en") -> Prediction:
    groups = {"part": fairness.TEMPLATES, "lang": lang, "group": group, **({"term": term} if term else {})}
    labels = dict.fromkeys(fairness.LABELS, truth)
    chances = dict.fromkeys(fairness.LABELS, probability)
    return prediction(
        name,
        truth,
        probability,
        groups=groups,
        truth=labels,
        probabilities=chances,
        thresholds={"abuse": 0.5, "hate": 0.5},
    )


def rate(cell: Cell) -> float | None:
    assert isinstance(cell, Estimate)
    return cell.value


def two_groups() -> list[Prediction]:
    """Of twenty benign phrases about either, ten and two are called hateful; all toxic ones are found."""
    return [
        *(phrase(f"a{at}", 0, 0.9 if at < 10 else 0.1, "religion", "a") for at in range(20)),
        *(phrase(f"b{at}", 0, 0.9 if at < 2 else 0.1, "age", "b") for at in range(20)),
        *(phrase(f"t{at}", 1, 0.9, ("religion", "age")[at % 2], "ab"[at % 2]) for at in range(30)),
    ]


def named_table(predictions: Sequence[Prediction], beginning: str) -> Table:
    return next(table for title, table in fairness.own(predictions).items() if title.startswith(beginning))


def test_a_gap_is_that_of_the_groups_and_not_of_the_toxic_phrases() -> None:
    row = named_table(two_groups(), "Gaps between groups of people by language: hate")["en"]
    assert rate(row["gap of false positives"]) == pytest.approx(10 / 20 - 2 / 20)
    assert rate(row["gap of false negatives"]) == 0.0
    assert rate(row["false positives"]) == pytest.approx(12 / 40)
    # Terms have 0.5 and 0.1 where all have 0.3.
    assert row["spread of false positives"] == pytest.approx(0.2)


def test_small_groups_make_no_gap() -> None:
    few = [np.array([True] * (fairness.SMALL_GROUP - 1)), np.zeros(50, bool)]
    assert fairness.gap(few).value is None
    enough = [np.array([True] * fairness.SMALL_GROUP), np.zeros(50, bool)]
    assert fairness.gap(enough).value == 1.0


def test_the_terms_that_are_called_hateful_most_surely_come_first() -> None:
    assert list(named_table(two_groups(), "Terms most often called hate")) == ["en, a", "en, b"]


def field(name: str, probability: float, same: str = "x") -> Prediction:
    groups = {"part": fairness.FIELDS, "lang": "en", "same": same, "field": name}
    return prediction(f"{same}+{name}", 0, probability, groups=groups, truth={})


def test_a_score_that_moves_with_a_field_is_counted() -> None:
    table = named_table(
        [field("plain", 0.2), field("author", 0.2), field("region", 0.203), field("region", 0.4, same="unpaired")],
        "The same text in other fields",
    )
    assert table["author"]["other probabilities"] == 0
    assert table["region"]["other probabilities"] == 1
    assert table["region"]["largest difference"] == pytest.approx(0.003)
    assert table["region"]["posts"] == 1


def test_a_label_that_one_lacks_counts_as_moved() -> None:
    assert fairness.moved(field("plain", 0.2), prediction("y", 0, 0.2, probabilities={})) == 1.0


def test_two_that_failed_do_not_count_as_the_same() -> None:
    failed = [
        prediction(f"x+{name}", 0, 0.2, groups=field(name, 0.2).groups, probabilities={}, error="no")
        for name in ("plain", "author")
    ]
    assert named_table(failed, "The same text in other fields") == {}
    one = [field("plain", 0.2), failed[1]]
    assert named_table(one, "The same text in other fields")["author"]["largest difference"] == 1.0


PHRASE = {"id": "1", "lang": "en", "template": "being_adj", "toxic": True, "phrase": "Being old is kind"}


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"phrase": None}, "row 0: not all of it is text"),
        ({"template": None}, "row 0: not all of it is text"),
        ({"toxic": 2}, "row 0: toxic is 2"),
        ({"toxic": float("nan")}, "row 0: toxic is nan"),
        (None, "expected id, lang, template, toxic, phrase"),
        ("lang", "expected id, lang, template, toxic, phrase"),
    ],
)
def test_templates_that_are_none_are_refused_in_a_sentence(tmp_path: Path, changed: object, expected: str) -> None:
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    path = tmp_path / "data" / fairness.PHRASES
    path.parent.mkdir()
    if changed is None:
        path.write_bytes(b"PAR1 cut off")
    elif isinstance(changed, str):
        pandas.DataFrame([PHRASE]).drop(columns=changed).to_parquet(path)
    else:
        pandas.DataFrame([{**PHRASE, **cast("dict[str, object]", changed)}]).to_parquet(path)
    source = Source(path.parent, load_pack(write_tiny_pack(tmp_path / "pack")))
    with pytest.raises(SuiteError, match=expected):
        fairness.read(source)
    pandas.DataFrame([PHRASE]).to_parquet(path)
    assert fairness.read(source)[0].groups["group"] == "age"


def test_varied_posts_say_the_same_and_differ_in_the_field() -> None:
    post = Post(post_id="p", text="hello")
    found = dict(fairness.varied(post))
    assert found.pop(fairness.PLAIN) == post
    assert all(of.text == "hello" and of != post for of in found.values())


def parallel(lang: str, template: str, probability: float, hateful: str = "1") -> Prediction:
    groups = {"part": fairness.PARALLEL, "lang": lang, "template": template, "hateful": hateful}
    return prediction(f"{lang}{template}", 0, probability, groups=groups, truth={})


def test_agreement_is_the_share_of_templates_decided_as_in_english() -> None:
    table = named_table(
        [
            parallel("en", "1", 0.9),
            parallel("en", "2", 0.1),
            parallel("de", "1", 0.8),
            parallel("de", "2", 0.9),
            parallel("de", "3", 0.9),
        ],
        "Agreement with English",
    )
    assert set(table) == {"de"}
    assert table["de"]["templates"] == 2
    assert rate(table["de"]["as English"]) == 0.5
    assert rate(table["de"]["right"]) == 1.0
    assert rate(table["de"]["English right"]) == 0.5


@pytest.mark.parametrize(
    ("lang", "template", "written", "term", "group"),
    [
        ("en", "being_adj", "Being middle eastern is kind", "middle eastern", "race"),
        ("en", "am_hate_adj", "I am older", "older", "age"),
        ("de", "you_are_adj", "Du bist eine die beste blinde", "blinde", "disability"),
        ("de", "verb_adj", "lieben  junger", "junger", "age"),
        ("nl", "you_are_identity_p", "Je bent een super blind persoon", "blind", "disability"),
        ("nl", "verb:geven", "geven om vlaams", "vlaams", "nationality"),
        ("hi-Latn", "being_identity_is_adjective", "yahudi hon accha ha", "yahudi", "religion"),
        ("zh", "verb:支持", "支持所有女人", "女人", "sex"),
        ("zh", "you_are_identity_p", "你是一位有礼貌的信徒", "信徒", "religion"),
    ],
)
def test_a_phrase_names_its_term(lang: str, template: str, written: str, term: str, group: str) -> None:
    assert term_of(lang, template, written) == term
    assert group_of(lang, term) == group


def test_what_is_built_in_no_known_way_has_no_term_and_no_group() -> None:
    assert term_of("en", "being_adj", "hello") is None
    assert term_of("xx", "being_adj", "Being old is kind") is None
    assert group_of("en", "zebra") == UNKNOWN


def item(name: str, bundle: str | None = None) -> Item:
    return Item(Post(post_id=name, text=name), bundle=bundle)


def test_a_smaller_run_has_bundles_whole() -> None:
    items = [item(f"{at}") for at in range(20)]
    items += [item(f"{name}{at}", bundle=name) for name in "abcd" for at in range(5)]
    for limit in range(1, 45):
        names = [of.post.post_id for of in smaller(items, limit)]
        assert 1 <= len(names) <= limit
        for bundle in "abcd":
            assert sum(name.startswith(bundle) for name in names) in (0, 5)


def test_a_run_without_a_limit_has_everything_in_order() -> None:
    items = [item("a1", "a"), item("b"), item("a2", "a")]
    assert smaller(items, None) == tuple(items)
    assert smaller(items, 3) == tuple(items)
