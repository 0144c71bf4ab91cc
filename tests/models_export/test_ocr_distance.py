from __future__ import annotations

from collections import Counter
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models_export.ocr_suite.distance import distance, distance_within, lenient, strict, tokens

# Few letters, so that texts have something in common; one is outside the basic plane, one is half of a character.
TEXTS = st.text("abcé 😀\ud800", max_size=8)


def naive(reference: str, read: str) -> int:
    """Levenshtein's distance by its recursive definition."""

    @cache
    def between(left: int, right: int) -> int:
        if left == 0 or right == 0:
            return left + right
        same = reference[left - 1] == read[right - 1]
        replaced = between(left - 1, right - 1) + (0 if same else 1)
        return min(between(left - 1, right) + 1, between(left, right - 1) + 1, replaced)

    return between(len(reference), len(read))


@given(TEXTS, TEXTS)
def test_the_distance_is_that_of_the_definition(reference: str, read: str) -> None:
    assert distance(reference, read) == naive(reference, read)


@given(TEXTS, TEXTS)
def test_the_distance_within_is_that_to_the_nearest_part(reference: str, read: str) -> None:
    parts = {read[start:end] for start in range(len(read) + 1) for end in range(start, len(read) + 1)}
    assert distance_within(reference, read) == min(naive(reference, part) for part in parts)


def test_the_distance_counts_code_points() -> None:
    assert distance("naïve", "naive") == 1
    assert distance("😀😀", "😀") == 1


def test_long_texts_are_no_problem() -> None:
    assert distance("ab" * 2_000, "ba" * 2_000) == 2
    assert distance_within("needle", "hay" * 5_000 + "neddle" + "hay" * 5_000) == 1


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
