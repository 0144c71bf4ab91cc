"""Normalising piece by piece gives what normalising the whole gives, for every character that Python knows."""

from __future__ import annotations

import re
import sys
import unicodedata
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.text.canonical import MAX_MARKS, nfc_edits, nfkc_edits, stack_edits
from processors.text.characters import CONTINUATION
from processors.text.edits import apply_edits

CONTINUES = re.compile(f"[{CONTINUATION}]")
KOREAN_LETTERS = re.compile("[\u3131-\u318e\uffa1-\uffdc]")
EVERY_CHARACTER = [chr(point) for point in range(sys.maxunicode + 1) if not 0xD800 <= point < 0xE000]


def joining() -> set[str]:
    """The characters that a normal form may join with, or move before, what precedes them."""
    joined = {char for char in EVERY_CHARACTER if unicodedata.combining(char)}
    for char in EVERY_CHARACTER:
        decomposed = unicodedata.normalize("NFD", char)
        if len(decomposed) > 1 and unicodedata.normalize("NFC", decomposed) == char:
            joined.update(decomposed[1:])
    return joined


def test_every_character_that_joins_another_counts_as_continuing() -> None:
    assert [char for char in joining() if not CONTINUES.match(char)] == []


@pytest.mark.parametrize("form", ["NFC", "NFKC"])
def test_what_becomes_one_that_joins_counts_as_well(form: Literal["NFC", "NFKC"]) -> None:
    joins = joining()
    becomes = [c for c in EVERY_CHARACTER if unicodedata.normalize(form, c)[0] in joins]
    assert [c for c in becomes if not CONTINUES.match(c) and not KOREAN_LETTERS.match(c)] == []


some_text = st.text(
    st.characters(exclude_categories=["Cs"])
    | st.sampled_from("eo\u0301\u0323\u0308\u1100\u1161\u11a8ㄱㅏㄳ\uff76\uff9eक\u093cﬁ"),
    max_size=30,
)


@given(some_text)
def test_the_edits_give_nfc(posted: str) -> None:
    assert apply_edits(posted, nfc_edits(posted))[0] == unicodedata.normalize("NFC", posted)


@given(some_text)
def test_the_edits_give_nfkc(posted: str) -> None:
    assert apply_edits(posted, nfkc_edits(posted))[0] == unicodedata.normalize("NFKC", posted)


def test_a_stack_is_cut_to_its_limit() -> None:
    tall = "a" + "\u0301\u0327" * 40 + "b"
    assert apply_edits(tall, stack_edits(tall))[0] == tall[: 1 + MAX_MARKS] + "b"
