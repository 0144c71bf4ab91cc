"""The text view: what is dropped, what stays, and where each code point of it came from."""

from __future__ import annotations

import unicodedata
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from processors.text import is_readable, text_view
from schemas import OffsetMap

HOSTILE = (
    "aé e\u0301 \u0301\u0327\u200b\u200d\u202e\u2066\ufeff\0\x1f\x85\r\n\t\u3000\xa0\u1100\u1161\u11a8"
    "\ufdfaﬁÅ\u212bक\u093c\ud800\U0001f44d\U00011099\U000110ba"
)
any_text = st.text(st.characters(codec=None)) | st.text(st.sampled_from(HOSTILE), max_size=60)


@pytest.mark.parametrize(
    ("posted", "view"),
    [
        ("plain text, as most is", "plain text, as most is"),
        ("cafe\u0301", "café"),
        ("\u1112\u1161\u11ab", "한"),
        ("a\0b\x1bc\x7fd\x9fe", "abcde"),
        ("\u202eevil\u202c \u2066x\u2069\u200f", "evil x"),
        ("\ufeffstart", "start"),
        ("a\tb\xa0c\u3000d", "a b c d"),
        ("a\r\nb\rc\u2028d\x85e", "a\nb\nc\nd\ne"),
        ("a      b", "a  b"),
        ("a \n\n \n\n\n b", "a\n\nb"),
        ("a \nb", "a\nb"),
        ("a\n b", "a\nb"),
        ("a \0 b", "a  b"),
        ("lone \ud83d surrogate", "lone \ufffd surrogate"),
        ("two  words", "two  words"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("👨\u200d👩\u200d👧 ❤\ufe0f", "👨\u200d👩\u200d👧 ❤\ufe0f"),
        ("ﬁ ｆ ² ½", "ﬁ ｆ ² ½"),
        ("", ""),
    ],
)
def test_a_text_is_cleaned_and_composed_but_keeps_what_a_reader_sees(posted: str, view: str) -> None:
    assert text_view(posted)[0] == view


def test_an_unchanged_text_has_an_identity_map() -> None:
    posted = "Nothing to do hereé 好 😀"
    assert text_view(posted) == (posted, OffsetMap.identity(len(posted)))


def test_a_composed_letter_stands_for_all_it_was_made_of() -> None:
    view, to_original = text_view("x\0 cafe\u0301!")
    at = view.index("é")
    assert to_original.to_original(at, at + 1) == (6, 8)
    assert to_original.to_original(at + 1, at + 2) == (8, 9)


def test_marks_are_kept_up_to_thirty_high_and_dropped_above() -> None:
    view, to_original = text_view("a" + "\u0f39" * 100 + "b")
    assert view == "a" + "\u0f39" * 30 + "b"
    assert to_original.to_original(31, 32) == (101, 102)


def test_a_limit_cuts_the_text_on_a_code_point_and_the_map_knows_the_whole() -> None:
    view, to_original = text_view("👍" * 10, max_chars=4)
    assert view == "👍" * 4
    assert to_original.original_length == 10
    assert to_original.to_original(0, 4) == (0, 4)


def test_a_limit_that_is_not_reached_changes_nothing() -> None:
    assert text_view("abc", max_chars=3) == ("abc", OffsetMap.identity(3))


@pytest.mark.parametrize(
    "blank", ["", " \n\t", "\u200b\u200d\ufeff", "\0\x01", "\u202e\u202c", "\ue000\uf8ff", "\ufffd", "\u3164 \u2800"]
)
def test_what_shows_a_reader_nothing_is_not_readable(blank: str) -> None:
    assert not is_readable(text_view(blank)[0])


@pytest.mark.parametrize("shown", ["a", " . ", "😀", "\u200b好", "❤\ufe0f", "\u0301", "🏳"])
def test_what_shows_a_reader_anything_is_readable(shown: str) -> None:
    assert is_readable(text_view(shown)[0])


@given(any_text)
@example("\u0301" * 40)
@example(HOSTILE * 3)
def test_the_view_is_clean_composed_and_can_be_encoded(posted: str) -> None:
    view, _ = text_view(posted)
    view.encode("utf-8")
    assert unicodedata.is_normalized("NFC", view)
    assert not any(unicodedata.category(c) == "Cc" and c != "\n" for c in view)
    assert not any(
        unicodedata.bidirectional(c) in {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"} for c in view
    )
    assert "   " not in view
    assert "\n\n\n" not in view


@given(any_text)
def test_a_view_is_its_own_view(posted: str) -> None:
    view, _ = text_view(posted)
    assert text_view(view) == (view, OffsetMap.identity(len(view)))


@given(any_text, st.none() | st.integers(0, 40))
def test_every_code_point_maps_to_a_place_in_the_original_in_order(posted: str, limit: int | None) -> None:
    view, to_original = text_view(posted, limit)
    assert (to_original.view_length, to_original.original_length) == (len(view), len(posted))
    spans = [to_original.to_original(at, at + 1) for at in range(len(view))]
    assert all(0 <= start < end <= len(posted) for start, end in spans)
    for (start, end), (next_start, next_end) in pairwise(spans):
        assert start <= next_start
        assert end <= next_end


@given(any_text, st.data())
def test_the_original_of_a_substring_normalises_to_what_contains_it(posted: str, data: st.DataObject) -> None:
    view, to_original = text_view(posted)
    start = data.draw(st.integers(0, len(view)))
    end = data.draw(st.integers(start, len(view)))
    first, last = to_original.to_original(start, end)
    again, _ = text_view(posted[first:last])
    # A piece of white space may stand at the edge of what was dropped, and marks alone in front of a cut.
    assert view[start:end].strip() in again
