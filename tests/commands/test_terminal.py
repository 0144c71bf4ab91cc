from __future__ import annotations

import pytest

from commands.terminal import cut, printable, put_table, width


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("two\nlines\tand\x00more", "two lines and more"),
        ("\x1b[31mred\x1b[0m", " [31mred [0m"),
        ("turned \u202eround", "turned round"),
        ("st\u200bupid", "stupid"),
    ],
)
def test_what_a_terminal_would_obey_is_not_printed(text: str, shown: str) -> None:
    assert printable(text) == shown


@pytest.mark.parametrize(
    ("text", "columns"),
    [("abc", 3), ("お弁当", 6), ("e\u0301", 1), ("बेवकूफ़", 4), ("བཀྲ", 2), ("🍓", 2), ("", 0)],
)
def test_width_counts_columns_and_not_code_points(text: str, columns: int) -> None:
    assert width(text) == columns


def test_cut_keeps_what_fits_and_says_that_something_is_missing() -> None:
    assert cut("short", 10) == "short"
    assert cut("a sentence of some length", 10) == "a sentenc…"
    assert cut("今日は天気がいい", 7) == "今日は…"
    assert width(cut("今日は天気がいい", 7)) <= 7


def test_cut_does_not_keep_thousands_of_marks_because_they_take_no_columns() -> None:
    assert len(cut("a" + "\u0301" * 100_000 + "bcdefghijkl", 5)) < 50


def test_columns_are_as_wide_as_their_widest_cell_and_numbers_stand_right(capsys: pytest.CaptureFixture[str]) -> None:
    put_table(("NAME", "COUNT"), [("お弁当", 7), ("b", 1234)], right=frozenset({"COUNT"}))
    assert capsys.readouterr().out.splitlines() == ["NAME    COUNT", "お弁当      7", "b        1234"]
