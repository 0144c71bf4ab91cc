from __future__ import annotations

import unicodedata

import pytest

from models_export.evaluation.judgement.prediction import Prediction
from models_export.evaluation.judgement.suite import Item
from models_export.evaluation.suites import robustness
from models_export.evaluation.suites.obfuscation import EDITS, edited
from models_export.measures.bootstrap import Estimate
from schemas import Action, Post
from tests.evaluation.predictions import prediction

TEXT = "the quick brown fox jumps over some lazy sleeping dogs"


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_is_the_same_for_the_same_seed_and_changes_half_of_the_long_words(name: str) -> None:
    found = edited(TEXT, name, "seed")
    assert found == edited(TEXT, name, "seed") != TEXT
    long = sum(len(word) >= 4 for word in TEXT.split())
    kept = set(TEXT.split()) & set(found.split())
    assert len(set(TEXT.split()) - kept) <= long // 2


@pytest.mark.parametrize("name", EDITS)
@pytest.mark.parametrize("text", ["", "a b c", "1234 5678", "https://x.example/abc"])
def test_a_text_without_long_words_stays_as_it_is(name: str, text: str) -> None:
    assert edited(text, name, "seed") == text


def test_typos_keep_the_letters() -> None:
    assert sorted(edited(TEXT, "typos", "seed")) == sorted(TEXT)


def test_spacing_keeps_all_but_the_spaces() -> None:
    assert edited(TEXT, "spacing", "seed").replace(" ", "") == TEXT.replace(" ", "")


def test_look_alikes_are_letters_of_another_script() -> None:
    new = set(edited(TEXT, "homoglyphs", "seed")) - set(TEXT)
    assert new
    assert all(unicodedata.name(letter).startswith("CYRILLIC") for letter in new)


def test_each_text_is_a_bundle_of_itself_and_every_edit() -> None:
    item = Item(Post(post_id="p", text=TEXT), {"lang": "en", "pair": "en/x"}, {"hate": 1, "insult": 1})
    found = robustness.variants([item])
    assert [of.groups["edit"] for of in found] == [robustness.PLAIN, *EDITS]
    assert len({of.post.post_id for of in found}) == len(found)
    assert {of.bundle for of in found} == {"p"}
    assert found[0].post.text == TEXT
    assert all(of.truth == {"hate": 1} for of in found)


def variant(name: str, edit: str, truth: int, probability: float, changed: str = "yes") -> Prediction:
    action = Action.REVIEW if probability > 0.5 else Action.APPROVE
    groups = {"edit": edit, "same": name, "changed": changed}
    return prediction(f"{name}+{edit}", truth, probability, groups=groups, action=action)


def test_what_moves_is_counted_among_texts_that_were_changed() -> None:
    predictions = [
        variant("a", "none", 1, 0.9),
        variant("a", "typos", 1, 0.2),
        variant("b", "none", 1, 0.8),
        variant("b", "typos", 1, 0.8),
        variant("c", "none", 0, 0.1),
        variant("c", "typos", 0, 0.2),
        variant("d", "none", 1, 0.9),
        variant("d", "typos", 1, 0.1, changed="no"),
    ]
    row = robustness.own(predictions)["What moves: hate"]["typos"]
    assert row["texts"] == 3
    lost, flips, change = row["of those said, lost"], row["decided otherwise"], row["change of macro-F1"]
    approved = row["restricted, then approved"]
    assert isinstance(lost, Estimate)
    assert isinstance(flips, Estimate)
    assert isinstance(change, Estimate)
    assert isinstance(approved, Estimate)
    assert lost.value == approved.value == 0.5
    assert flips.value == pytest.approx(1 / 3)
    assert row["macro-F1 before"] == 1.0
    assert row["macro-F1 after"] == pytest.approx(2 / 3)
    assert change.value == pytest.approx(-1 / 3)
