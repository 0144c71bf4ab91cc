"""Which frames of a video are kept while they pass by, and how they are shown."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.media.decoder.choice import STILL, Choice
from processors.media.decoder.turning import orientation_of, shown_size


def kept(levels: Sequence[int], count: int, *, rate: float = 10.0, gap_s: float = 1_000.0) -> list[float]:
    """Times of the frames that are kept of those with one cell of these levels."""
    choice = Choice[int](count, len(levels) / rate, gap_s)
    for at, level in enumerate(levels):
        choice.offer(at / rate, np.array([level], np.int16), lambda at=at: at)
    last = len(levels) - 1
    choice.offer(last / rate, np.array([levels[-1]], np.int16), lambda: last, last=True)
    assert all(t == at / rate for t, at in choice.kept)
    return [t for t, _ in choice.kept]


def test_of_a_video_that_stands_still_one_frame_is_kept() -> None:
    assert kept([7, 8, 7, 9, 7] * 20, 8) == [0.0]


def test_what_flashes_for_one_frame_is_kept() -> None:
    assert kept([10] * 50 + [90] + [10] * 49, 4) == [0.0, 5.0]


def test_first_and_last_are_kept_and_the_others_are_spread_or_stand_out() -> None:
    levels = [at // 2 for at in range(100)]
    levels[77] = 255
    found = kept(levels, 6)
    assert {0.0, 7.7, 9.9} <= set(found)
    assert len(found) == 6


def test_frames_come_at_the_wanted_distance_as_far_as_half_of_them_go() -> None:
    levels = [at % 200 for at in range(0, 600, 3)]  # 20 s of steady change
    found = kept(levels, 16, gap_s=4.0)
    assert all(any(abs(t - due) < 0.05 for t in found) for due in (0, 4, 8, 12, 16, 19.9))


def test_room_that_nothing_even_needs_goes_to_what_stands_out() -> None:
    flashes = {13: 40, 31: 80, 47: 120, 64: 160, 88: 200}
    found = kept([flashes.get(at, 0) for at in range(100)], 6, gap_s=1.0)
    assert len({at / 10 for at in flashes} & set(found)) == 4  # one place is held for the last frame


def test_one_frame_is_the_first() -> None:
    assert kept([0, 50, 100, 150], 1) == [0.0]


@given(st.lists(st.integers(0, 255), min_size=1, max_size=60), st.integers(1, 9), st.sampled_from([0.1, 1.0, 60.0]))
def test_never_more_than_wanted_never_two_alike_and_always_the_first(levels: list[int], count: int, gap: float) -> None:
    found = kept(levels, count, gap_s=gap)
    assert found[0] == 0.0
    assert 1 <= len(found) <= count
    shown = sorted(levels[round(t * 10)] for t in found)
    assert all(after - before > STILL for before, after in pairwise(shown))


@pytest.mark.parametrize(
    ("matrix", "orientation"),
    [
        ((1, 0, 0, 1), 1),
        ((-1, 0, 0, 1), 2),
        ((-1, 0, 0, -1), 3),
        ((1, 0, 0, -1), 4),
        ((0, 1, 1, 0), 5),
        ((0, 1, -1, 0), 6),
        ((0, -1, -1, 0), 7),
        ((0, -1, 1, 0), 8),
        ((0, 0, 0, 0), 1),
    ],
)
def test_a_display_matrix_is_one_of_eight_orientations(matrix: tuple[int, int, int, int], orientation: int) -> None:
    a, b, c, d = (65_536 * number for number in matrix)
    assert orientation_of((a, b, 0, c, d, 0, 0, 0, 1 << 30)) == orientation


@pytest.mark.parametrize(
    ("ratio", "size"),
    [
        (None, (720, 576)),
        (Fraction(0), (720, 576)),
        (Fraction(1), (720, 576)),
        (Fraction(16, 11), (1047, 576)),
        (Fraction(1, 2), (720, 1152)),
        (Fraction(9), (720, 576)),
        (Fraction(5), (720, 576)),
    ],
)
def test_pixels_that_are_not_square_are_stretched_within_limits(ratio: Fraction | None, size: tuple[int, int]) -> None:
    assert shown_size(720, 576, ratio, 1_000_000) == size
