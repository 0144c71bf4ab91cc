"""Normalising piece by piece gives what normalising the whole gives, for every character that Python knows."""

from __future__ import annotations

import re
import sys
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from processors.text.canonical import MAX_MARKS, nfc_edits, nfkc_edits, stack_edits
from processors.text.characters import CONTINUATION
from processors.text.edits import apply_edits

CONTINUES = re.compile(f"[{CONTINUATION}]")
EVERY_CHARACTER = [chr(point) for point in range(sys.maxunicode + 1) if not 0xD800 <= point < 0xE000]


def test_every_character_that_joins_another_counts_as_continuing() -> None:
    joined: set[str] = set()
    for char in EVERY_CHARACTER:
        decomposed = unicodedata.normalize("NFD", char)
        if len(decomposed) > 1 and unicodedata.normalize("NFC", decomposed) == char:
            joined.update(decomposed[1:])
    assert [char for char in joined if not CONTINUES.match(char)] == []


def test_no_other_character_becomes_one_that_joins() -> None:
    for form in ("NFC", "NFKC"):
        becomes = (char for char in EVERY_CHARACTER if not unicodedata.is_normalized(form, char))
        wrong = [c for c in becomes if CONTINUES.match(unicodedata.normalize(form, c)) and not CONTINUES.match(c)]
        # Korean letters typed alone (ㅋㅋㅏ) become parts of syllables one by one: a row of them stays a row.
        assert [c for c in wrong if not "\u3131" <= c <= "\u318e" and not "\uffa0" <= c <= "\uffdc"] == [], form


def test_no_mark_is_missing() -> None:
    marks = (c for c in EVERY_CHARACTER if unicodedata.combining(c))
    assert [c for c in marks if not CONTINUES.match(c)] == []


text = st.text(
    st.characters(exclude_categories=["Cs"])
    | st.sampled_from("eo\u0301\u0323\u0308\u1100\u1161\u11a8\uff76\uff9eक\u093cﬁ")
)


@given(text)
def test_the_edits_give_nfc(posted: str) -> None:
    short, _ = apply_edits(posted, stack_edits(posted))
    assert apply_edits(short, nfc_edits(short))[0] == unicodedata.normalize("NFC", short)


@given(
    st.text(
        st.characters(
            exclude_categories=["Cs"],
            exclude_characters=[chr(c) for c in [*range(0x3131, 0x318F), *range(0xFFA0, 0xFFDD)]],
        )
    )
)
def test_the_edits_give_nfkc(posted: str) -> None:
    short, _ = apply_edits(posted, stack_edits(posted))
    assert apply_edits(short, nfkc_edits(short))[0] == unicodedata.normalize("NFKC", short)


def test_a_stack_is_cut_to_its_limit() -> None:
    tall = "a" + "\u0301\u0327" * 40 + "b"
    assert apply_edits(tall, stack_edits(tall))[0] == tall[: 1 + MAX_MARKS] + "b"
