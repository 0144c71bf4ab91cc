from __future__ import annotations

from functools import cache

from hypothesis import given
from hypothesis import strategies as st

from models_export.measures.edit_distance import distance, distance_within, sequence_distance

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


@given(st.text("ab", max_size=8), st.text("ab", max_size=8))
def test_the_distance_of_words_is_that_of_letters_were_each_a_word(reference: str, read: str) -> None:
    assert sequence_distance(list(reference), list(read)) == distance(reference, read)


def test_a_word_is_right_or_wrong_as_a_whole() -> None:
    assert sequence_distance(["ten", "of", "clubs"], ["tan", "of", "the", "clubs"]) == 2
