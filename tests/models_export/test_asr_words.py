from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models_export.evaluation.asr_suite.words import letters, number_words, words


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ("THE CHILD ALMOST HURT THE DOG", "The child almost hurt the dog."),
        ("rather cold hearted", "rather cold-hearted"),
        ("Mr quilter is the apostle", "Mr. Quilter is the apostle"),
        ("and mister john dashwood", "And Mr. John Dashwood,"),
        ("ten of clubs", "10 of clubs"),
        ("one thousand cats", "1,000 cats"),
        ("twenty one dogs", "21 dogs"),
        ("dont", "Don’t!"),
    ],
)
def test_how_english_is_written_down_makes_no_difference(said: str, heard: str) -> None:
    assert words(said, "en") == words(heard, "en")


@pytest.mark.parametrize(("said", "heard"), [("four", "for"), ("clubs", "club"), ("nineteen eighty", "1980")])
def test_other_words_are_other_words(said: str, heard: str) -> None:
    assert words(said, "en") != words(heard, "en")


def test_numbers_and_titles_of_other_languages_stay_as_they_are() -> None:
    assert words("Dr. Müller hat 4", "de") == ["dr", "müller", "hat", "4"]


def test_accents_count_in_whatever_form_they_come() -> None:
    assert words("fore\u0302ts", "fr") == words("forêts", "fr") != words("forets", "fr")


def test_writing_without_spaces_is_compared_by_letters() -> None:
    assert letters("客観的実在の、 判断的 知識。", "ja") == "客観的実在の判断的知識"


@pytest.mark.parametrize(
    ("number", "spelled"),
    [
        (0, "zero"),
        (13, "thirteen"),
        (20, "twenty"),
        (40, "forty"),
        (99, "ninety nine"),
        (100, "one hundred"),
        (121, "one hundred twenty one"),
        (40_015, "forty thousand fifteen"),
        (999_999, "nine hundred ninety nine thousand nine hundred ninety nine"),
    ],
)
def test_numbers_are_spelled_out(number: int, spelled: str) -> None:
    assert " ".join(number_words(number)) == spelled


@pytest.mark.parametrize("number", [-1, 1_000_000])
def test_a_number_without_words_is_refused(number: int) -> None:
    with pytest.raises(ValueError, match="expected a number from 0"):
        number_words(number)


@given(st.integers(0, 999_999), st.integers(0, 999_999))
def test_no_two_numbers_are_spelled_alike(one: int, other: int) -> None:
    assert (number_words(one) == number_words(other)) == (one == other)


@given(st.text())
def test_words_of_words_are_the_same(text: str) -> None:
    once = words(text, "en")
    assert words(" ".join(once), "en") == once
