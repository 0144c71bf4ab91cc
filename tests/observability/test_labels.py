from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streams.metrics.labels import MAX_CODES, NONE, OTHER, AllowList, Codes


def test_what_is_listed_stays_and_all_else_is_other() -> None:
    tenant = AllowList(["acme", "default"])
    assert [tenant(name) for name in ("acme", "Acme", "default", "x" * 10_000)] == ["acme", OTHER, "default", OTHER]


def test_a_missing_value_is_none_and_not_an_empty_label() -> None:
    assert AllowList(["", "acme"])(None) == NONE
    assert AllowList(["", "acme"])("") == NONE


def test_a_sentence_is_no_code() -> None:
    code = Codes()
    assert code("no_text_found") == "no_text_found"
    assert code("The picture 3fa9.jpg is broken") == OTHER
    assert code(None) == NONE


@given(st.lists(st.text(), max_size=300))
def test_codes_never_make_more_than_their_number_of_labels(values: list[str]) -> None:
    code = Codes()
    assert len({code(value) for value in [*values, *(f"code_{number}" for number in range(200))]}) <= MAX_CODES + 2


def test_codes_that_were_seen_keep_their_label_when_the_number_is_reached() -> None:
    code = Codes(most=1)
    assert [code("a"), code("b"), code("a")] == ["a", OTHER, "a"]
