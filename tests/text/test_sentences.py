"""Where sentences end, in any script, and in texts that want to keep us busy."""

from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.text.sentences import sentences


def cut(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Go home. I like 3.5 of example.org! Really?? 😀", ["Go home.", "I like 3.5 of example.org!", "Really?? 😀"]),
        ("你好。你是谁？走开！", ["你好。", "你是谁？", "走开！"]),
        ("「行け！」と言った。終わり", ["「行け！」", "と言った。", "終わり"]),
        ("क्या है। हाँ।", ["क्या है।", "हाँ।"]),
        ("ما هذا؟ نعم۔ لا", ["ما هذا؟", "نعم۔", "لا"]),
        ("one\ntwo\r\n\n three", ["one", "two", "three"]),
        ('He said "go." Then left', ['He said "go."', "Then left"]),
        ("", []),
        (" \n ", []),
    ],
)
def test_sentences_end_where_readers_of_the_script_expect_it(text: str, found: list[str]) -> None:
    assert cut(text) == found


@given(st.text(alphabet='ab .!?。？\n\u200b")😀', max_size=60))
def test_no_letter_is_lost_and_none_stands_in_two_sentences(text: str) -> None:
    found = sentences(text)
    assert all(start < end for start, end in found)
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(found))
    kept = "".join(text[start:end] for start, end in found)
    assert re.sub(r"\s", "", kept) == re.sub(r"\s", "", text)


@pytest.mark.parametrize("piece", [".", ". ", ".)", "a.\u200b", "。.", "a\n", "!)"])
def test_a_hundred_thousand_marks_are_cut_like_any_text(piece: str) -> None:
    text = piece * (100_000 // len(piece)) + "x"
    assert "".join(cut(text))[-1] == "x"
