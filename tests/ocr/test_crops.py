"""Cutting lines out of pictures."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.ocr.boxes import Quad
from processors.ocr.crops import cut_line, in_pieces, in_reading_direction, turned


def upright(left: float, top: float, width: float, height: float) -> Quad:
    right, bottom = left + width, top + height
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)


def marked() -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """A grey picture whose line at (20, 10), 96 x 48, is red at its left end, and blue at its right."""
    picture = np.full((100, 200, 3), 128, np.uint8)
    picture[10:58, 20:68] = (255, 0, 0)
    picture[10:58, 68:116] = (0, 0, 255)
    return picture


def test_a_line_is_cut_upright_at_the_height_asked_for() -> None:
    crop = cut_line(marked(), upright(20, 10, 96, 48), 48)
    assert crop.shape == (48, 96, 3)
    assert (crop == marked()[10:58, 20:116]).all()


def test_a_turned_line_begins_at_its_other_end() -> None:
    quad = upright(20, 10, 96, 48)
    crop, back = cut_line(marked(), quad, 48), cut_line(marked(), turned(quad), 48)
    assert back[24, 8].tolist() == [0, 0, 255]
    assert (back[::-1, ::-1] == crop).all()


def test_a_line_that_runs_downwards_is_laid_on_its_side() -> None:
    picture = np.ascontiguousarray(np.rot90(marked(), k=-1))  # a quarter clockwise: its left end is at the top
    quad = upright(100 - 58, 20, 48, 96)
    crop = cut_line(picture, in_reading_direction(quad), 48)
    assert crop.shape == (48, 96, 3)
    assert crop[24, 8].tolist() == [255, 0, 0]


def test_a_box_beyond_the_border_repeats_it() -> None:
    crop = cut_line(np.full((40, 40, 3), 77, np.uint8), upright(-30, -30, 100, 100), 48)
    assert (crop == 77).all()


@given(st.floats(0.01, 3000), st.floats(0.01, 3000))
def test_a_box_of_any_size_gives_a_crop(width: float, height: float) -> None:
    quad = in_reading_direction(upright(3, 3, width, height))
    crop = cut_line(np.zeros((8, 8, 3), np.uint8), quad, 48)
    assert crop.shape[0] == 48
    assert 1 <= crop.shape[1] <= 48 * 256


@pytest.mark.parametrize("width", [1, 99, 100, 101, 1000])
def test_pieces_are_the_whole_crop(width: int) -> None:
    crop = np.random.default_rng(3).integers(0, 255, (48, width, 3), np.uint8)
    pieces = in_pieces(crop, 100)
    assert all(1 <= piece.shape[1] <= 100 for piece in pieces)
    assert (np.concatenate(pieces, axis=1) == crop).all()


def test_a_cut_falls_where_nothing_is_written() -> None:
    crop = np.random.default_rng(3).integers(0, 255, (48, 150, 3), np.uint8)
    crop[:, 80:90] = 255
    assert 80 <= in_pieces(crop, 100)[0].shape[1] <= 90
