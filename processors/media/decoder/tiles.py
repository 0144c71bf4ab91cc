"""Where a long picture is cut, so that each part of it can be looked at without being squeezed.

Screenshots of whole conversations are ten times as high as wide: reduced as a whole, nobody could read them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

Box = tuple[int, int, int, int]
"""Left, top, right, bottom, in pixels; the last two exclusive."""

MAX_TILES = 16
"""Parts of one picture that are looked at."""

LONG = 2.5
"""A picture is long whose long side is more than so many times its short side."""

_TILE_ASPECT = 2.0
"""Length of a tile per width."""

_OVERLAP = 0.15
"""Of a tile, shared with the next at least: a line that one edge cuts is whole on the other side of it."""

_THIN = 8
"""Pixels. Nothing can be read in a picture with a shorter side, however long it is."""


@dataclass(frozen=True, slots=True)
class Tiles:
    boxes: tuple[Box, ...]
    """Those that are looked at, from the picture's upper left end to the other: at least one."""
    of: int
    """How many it would take to look at everything."""


def is_long(width: int, height: int) -> bool:
    """Whether writing in it would suffer from reducing it as a whole."""
    return max(width, height) > LONG * min(width, height) and min(width, height) >= _THIN


def tiles(width: int, height: int, side: int) -> Tiles | None:
    """The parts of a still of this size where pictures of at most `side` are wanted; None where it stays whole.

    A part is twice as long as wide; longer where the picture is thin, as far as it is not reduced for that.
    """
    long, short = max(width, height), min(width, height)
    if long <= side or not is_long(width, height):
        return None
    in_so_many = math.ceil(long / (1 + (MAX_TILES - 1) * (1 - _OVERLAP)))
    length = min(long, max(math.ceil(_TILE_ASPECT * short), side // 2, min(in_so_many, side)))
    count = 1 + math.ceil((long - length) / ((1 - _OVERLAP) * length))
    numbers = range(count) if count <= MAX_TILES else [at * (count - 1) // (MAX_TILES - 1) for at in range(MAX_TILES)]
    starts = [round(number * (long - length) / max(1, count - 1)) for number in numbers]
    if width > height:
        return Tiles(tuple((start, 0, start + length, height) for start in starts), count)
    return Tiles(tuple((0, start, width, start + length) for start in starts), count)


def as_stored(box: Box, width: int, height: int, orientation: int) -> Box:
    """A box of the upright picture, of this size, as a box of the picture that its EXIF orientation (1..8) turns
    upright: the inverse of `pixels.upright`."""
    left, top, right, bottom = box
    if orientation in (2, 3, 6, 7):
        left, right = width - right, width - left
    if orientation in (3, 4, 7, 8):
        top, bottom = height - bottom, height - top
    return (top, left, bottom, right) if orientation in (5, 6, 7, 8) else (left, top, right, bottom)
