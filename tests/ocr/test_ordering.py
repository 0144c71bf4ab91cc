"""The order in which the lines of a picture are read."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.ocr.boxes import Quad
from processors.ocr.ordering import reading_order

Line = tuple[str, float, float, float, float]
"""What it says, left, top, width, height."""


def quad_of(left: float, top: float, width: float, height: float) -> Quad:
    right, bottom = left + width, top + height
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)


def read(lines: Sequence[Line], *, degrees: float = 0.0, right_to_left: bool = False) -> str:
    """The lines' texts in reading order, the page turned clockwise first."""
    angle = math.radians(degrees)
    turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]], np.float32)
    quads = [quad_of(*place) @ turn for _, *place in lines]
    return " ".join(lines[at][0] for at in reading_order(quads, right_to_left=right_to_left))


MEME: list[Line] = [
    ("bottom", 40, 300, 300, 40),
    ("top", 30, 10, 320, 40),
    ("second", 50, 55, 280, 40),
]

SIGNS: list[Line] = [("d", 210, 108, 60, 20), ("a", 10, 10, 60, 20), ("c", 12, 110, 60, 20), ("b", 205, 14, 60, 20)]

COLUMNS: list[Line] = [
    ("heading", 10, 0, 480, 30),
    *((f"l{row}", 10, 50 + 30 * row, 200, 20) for row in range(4)),
    *((f"r{row}", 260, 52 + 30 * row, 200, 20) for row in range(4)),
]

RECEIPT: list[Line] = [
    ("bread", 10, 10, 120, 20),
    ("2.50", 300, 11, 50, 20),
    ("milk", 10, 40, 110, 20),
    ("1.20", 300, 41, 50, 20),
    ("total", 10, 70, 110, 20),
    ("3.70", 300, 71, 50, 20),
]


def test_lines_below_each_other_are_read_from_top_to_bottom() -> None:
    assert read(MEME) == "top second bottom"


def test_signs_beside_each_other_are_read_row_by_row() -> None:
    assert read(SIGNS) == "a b c d"


def test_columns_of_running_text_are_read_one_after_the_other() -> None:
    assert read(COLUMNS) == "heading l0 l1 l2 l3 r0 r1 r2 r3"


def test_the_rows_of_a_table_are_not_torn_apart() -> None:
    assert read(RECEIPT) == "bread 2.50 milk 1.20 total 3.70"


def test_a_script_that_runs_to_the_left_is_read_so() -> None:
    assert read(SIGNS, right_to_left=True) == "b a d c"


def test_words_of_a_slanted_row_stay_in_it() -> None:
    words: list[Line] = [(f"w{at}", 100.0 * at, 100 - 8.0 * at, 80, 20) for at in range(5)]
    assert read([words[at] for at in (3, 0, 4, 2, 1)]) == "w0 w1 w2 w3 w4"


@pytest.mark.parametrize("degrees", [90, 180, 270, 30, -20])
@pytest.mark.parametrize("page", [MEME, SIGNS, COLUMNS, RECEIPT], ids=["meme", "signs", "columns", "receipt"])
def test_a_turned_page_is_read_as_if_it_were_upright(page: list[Line], degrees: float) -> None:
    assert read(page, degrees=degrees) == read(page)


@given(
    st.lists(st.tuples(st.floats(-50, 2000), st.floats(-50, 2000), st.floats(1, 900), st.floats(1, 300)), max_size=40),
    st.booleans(),
)
def test_every_line_is_read_once(places: list[tuple[float, float, float, float]], right_to_left: bool) -> None:
    order = reading_order([quad_of(*place) for place in places], right_to_left=right_to_left)
    assert sorted(order) == list(range(len(places)))


@given(st.lists(st.floats(1, 900), min_size=1, max_size=12))
def test_lines_that_do_not_overlap_in_height_are_read_downwards(widths: list[float]) -> None:
    places = [(0.0, 30.0 * row, width, 20.0) for row, width in enumerate(widths)]
    assert reading_order([quad_of(*place) for place in places]) == list(range(len(widths)))


def test_two_thousand_lines_are_ordered_at_once() -> None:
    quads = [quad_of(37.0 * (at % 40), 31.0 * (at // 40), 30, 20) for at in range(2_000)]
    assert reading_order(quads) == list(range(2_000))
