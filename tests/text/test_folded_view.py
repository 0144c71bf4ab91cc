"""The folded view as a whole: when there is one, and what its map promises."""

from __future__ import annotations

import re
from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from processors.text import field_view, folded_view, text_view

PIECES = (
    *"aeiouSTfkрсоіхкαο013457@$!|.-_* \n,",
    "\u200b",
    "\u200d",
    "\u00ad",
    "\u0301",
    "\u0336",
    "\u0e49",
    "🅰",
    "🇫 ",
    "𝖋",
    "ｆ",
    "ﬁ",
    "ﷺ",
    "ʜ",
    "\u110f",
    "ㅋ",
    "ㅏ",
    "می\u200c",
    "https://",
    "@ss",
    "ssss",
    "\ud800",
)
disguised_text = st.lists(st.sampled_from(PIECES), max_size=40).map("".join)
any_text = st.text(st.characters(codec=None)) | disguised_text


@given(any_text)
@example("\u0301" * 30 + "\u200b" + "\u0301" * 30)
def test_every_code_point_maps_to_a_place_in_the_original_in_order(posted: str) -> None:
    found = folded_view(*text_view(posted))
    if found is None:
        return
    view, to_original = found
    view.encode("utf-8")
    assert (to_original.view_length, to_original.original_length) == (len(view), len(posted))
    spans = [to_original.to_original(at, at + 1) for at in range(len(view))]
    assert all(0 <= start < end <= len(posted) for start, end in spans)
    for (start, end), (next_start, next_end) in pairwise(spans):
        assert start <= next_start
        assert end <= next_end


@given(disguised_text)
def test_what_a_plain_word_stands_for_folds_to_that_word(posted: str) -> None:
    """A word without neighbours to lean on: evidence cut out of a post still says what it said in the post."""
    found = folded_view(*text_view(f"{posted}\nstup1d\n{posted}"))
    assert found is not None
    view, to_original = found
    at = view.index("stupid", view.index("\n") if "stupid" in posted else 0)
    start, end = to_original.to_original(at, at + 6)
    assert f"{posted}\nstup1d\n{posted}"[start:end] == "stup1d"


@given(any_text)
def test_a_second_view_is_there_only_where_words_differ(posted: str) -> None:
    field = field_view(posted)
    assert (field.folded is None) == (field.folded_map is None)
    if field.folded is not None:
        assert re.findall(r"[^\W_]+", field.folded) != re.findall(r"[^\W_]+", field.text)


@given(any_text)
def test_the_same_text_has_the_same_views(posted: str) -> None:
    assert field_view(posted) == field_view(posted)


def test_a_field_knows_its_length_as_posted_whatever_the_limit() -> None:
    field = field_view("stup1d " * 100, max_chars=13)
    assert (field.original_length, field.text, field.folded) == (700, "stup1d stup1d", "stupid stupid")
    assert field.folded_map is not None
    assert field.folded_map.original_length == 700
