"""How a frame as stored is shown: which way is up, and how wide its pixels are."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

MOST_STRETCHED = 8
"""Times that a pixel may be wider than high, or higher than wide; a file that says more says nothing."""


def orientation_of(matrix: Sequence[int]) -> int:
    """The EXIF orientation (1..8) nearest to a display matrix (ISO 14496-12, 8.2.2: `a b u c d v x y w`).

    A point (x, y) of the stored frame is shown at (a x + c y, b x + d y).
    """
    a, b, _, c, d = matrix[:5]
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return {(False, False): 1, (True, False): 2, (True, True): 3, (False, True): 4}[a < 0, d < 0]
    return {(False, False): 5, (False, True): 6, (True, True): 7, (True, False): 8}[b < 0, c < 0]


def shown_size(width: int, height: int, ratio: Fraction | None, most_pixels: int) -> tuple[int, int]:
    """Width and height, in square pixels, of a frame whose pixels are `ratio` times as wide as high.

    Never smaller than it is stored, nor of more than `most_pixels` by being stretched.
    """
    if not ratio or not Fraction(1, MOST_STRETCHED) <= ratio <= MOST_STRETCHED:
        return width, height
    wide, high = (round(width * ratio), height) if ratio > 1 else (width, round(height / ratio))
    return (wide, high) if wide * high <= most_pixels else (width, height)
