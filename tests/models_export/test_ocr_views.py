from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models_export.evaluation.ocr_suite.views import lenient, strict, tokens


@given(st.text())
def test_a_view_of_a_view_is_the_same(text: str) -> None:
    assert strict(strict(text)) == strict(text)
    assert lenient(lenient(text)) == lenient(text)


@pytest.mark.parametrize(
    ("text", "as_strict", "as_lenient"),
    [
        ("  Two\n\twords ", "Two words", "twowords"),
        ("ﬁne ｗｉｄｅ", "fine wide", "finewide"),
        ("e\u0301", "é", "é"),
        ("STRASSE Straße", "STRASSE Straße", "strassestrasse"),
        ("\u3000", "", ""),
    ],
)
def test_what_the_views_leave_of_a_text(text: str, as_strict: str, as_lenient: str) -> None:
    assert (strict(text), lenient(text)) == (as_strict, as_lenient)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The cat, the CAT!", {"the": 2, "cat": 2}),
        ("don't stop-now 24/7", {"don": 1, "t": 1, "stop": 1, "now": 1, "24": 1, "7": 1}),
        ("今日は good", {"今": 1, "日": 1, "は": 1, "good": 1}),
        ("आज मौसम", {"आज": 1, "मौसम": 1}),
        ("ที่นี่", {"ที่": 1, "นี่": 1}),
        ("a中b", {"a": 1, "中": 1, "b": 1}),
        ("…", {}),
    ],
)
def test_words_are_counted_whatever_the_writing(text: str, words: dict[str, int]) -> None:
    assert tokens(text) == Counter(words)
