"""From marks in a probability map to the boxes of lines."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from processors.ocr.boxes import clockwise, text_regions
from processors.ocr.crops import side_lengths
from processors.ocr.graph_config import DetectionConfig

CONFIG = DetectionConfig(
    "BGR", 1 / 255, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5), 0.2, 0.45, unclip_ratio=1.5, max_candidates=100
)


def map_with(left: int, top: int, right: int, bottom: int, probability: float = 0.9) -> NDArray[np.float32]:
    found = np.zeros((200, 300), np.float32)
    found[top : bottom + 1, left : right + 1] = probability
    return found


def test_a_box_grows_by_the_distance_on_every_side() -> None:
    (region,) = text_regions(map_with(50, 80, 150, 100), CONFIG)
    distance = 100 * 20 * 1.5 / (2 * (100 + 20))
    expected = [
        [50 - distance, 80 - distance],
        [150 + distance, 80 - distance],
        [150 + distance, 100 + distance],
        [50 - distance, 100 + distance],
    ]
    # The middle of the place at 50 is at 50.5.
    assert region.quad == pytest.approx(np.array(expected) + 0.5, abs=1e-3)
    assert region.score == pytest.approx(0.9, abs=1e-6)


@pytest.mark.parametrize(
    "marks",
    [
        map_with(50, 80, 150, 82),  # thinner than any letter
        map_with(50, 80, 150, 100, probability=0.19),  # below the threshold of a mark
        map_with(50, 80, 150, 100, probability=0.4),  # below the threshold of a box
        np.zeros((32, 32), np.float32),
    ],
)
def test_noise_is_no_line(marks: NDArray[np.float32]) -> None:
    assert text_regions(marks, CONFIG) == []


def test_a_slanted_line_keeps_its_slant() -> None:
    corners = cv2.boxPoints(((150, 100), (120, 20), 30))
    marks = np.zeros((200, 300), np.float32)
    cv2.fillConvexPoly(marks, corners.astype(np.int32), (0.8,))
    (region,) = text_regions(marks, CONFIG)
    along = region.quad[1] - region.quad[0]
    assert math.degrees(math.atan2(along[1], along[0])) == pytest.approx(30, abs=1)


def test_a_mark_at_the_border_gives_a_box_beyond_it() -> None:
    (region,) = text_regions(map_with(0, 0, 100, 20), CONFIG)
    assert region.quad.min() < 0


def test_no_more_marks_are_looked_at_than_the_file_allows() -> None:
    marks = np.zeros((400, 400), np.float32)
    for top in range(0, 400, 20):
        for left in range(0, 400, 20):
            marks[top : top + 10, left : left + 10] = 1.0
    assert len(text_regions(marks, CONFIG)) == CONFIG.max_candidates


@given(
    width=st.floats(3, 200),
    height=st.floats(3, 200),
    angle=st.floats(0, 90),
    distance=st.floats(0.5, 100),
)
def test_growing_the_rectangle_is_the_smallest_rectangle_around_the_offset_polygon(
    width: float, height: float, angle: float, distance: float
) -> None:
    corners = np.asarray(cv2.boxPoints(((300, 300), (width, height), angle)), np.float32)
    # Offset with round joins: a disc around every corner, and what lies between.
    turns = np.linspace(0, 2 * math.pi, 720, endpoint=False)
    circle = distance * np.stack([np.cos(turns), np.sin(turns)], axis=-1)
    outline = (corners[:, None, :] + circle).reshape(-1, 2).astype(np.float32)
    _, (found_width, found_height), _ = cv2.minAreaRect(outline)
    grown = (width + 2 * distance) * (height + 2 * distance)
    assert found_width * found_height == pytest.approx(grown, rel=2e-3)


@given(st.floats(-40, 40), st.floats(30, 200), st.floats(5, 25))
def test_corners_go_clockwise_from_the_top_left(angle: float, width: float, height: float) -> None:
    corners = np.asarray(cv2.boxPoints(((100, 100), (width, height), angle)), np.float32)
    quad = clockwise(corners[[2, 0, 3, 1]])
    assert side_lengths(quad) == pytest.approx((width, height), abs=1e-2)
    one, two = quad[1] - quad[0], quad[2] - quad[1]
    assert one[0] * two[1] - one[1] * two[0] > 0  # y grows downwards: clockwise on the screen
    assert quad[0, 0] < quad[1, 0]
