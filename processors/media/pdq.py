"""PDQ, the perceptual hash of Meta's ThreatExchange, as its reference implementation computes it.

"The TMK+PDQF Video-Hashing Algorithm and the PDQ Image-Hashing Algorithm", Facebook, 2019, and
github.com/facebook/ThreatExchange/tree/main/pdq (BSD-3-Clause). Computed here in numpy because no package carries it
for every platform; the tests hold it against hashes of the reference.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

MIN_SIDE = 5
"""The reference hashes nothing smaller."""

GRID = 64
"""The picture is blurred and sampled at 64 x 64 points,"""
FREQUENCIES = 16
"""of whose cosine transform the 16 x 16 lowest frequencies but the constant are compared with their median."""

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
_QUALITY_SCALE = 90
"""Gradient sum of the reference at which a picture is of full quality, over 100."""

_rows = np.arange(1, FREQUENCIES + 1)[:, None]
_columns = np.arange(GRID)[None, :]
_COSINES = np.sqrt(2.0 / GRID) * np.cos(np.pi / (2 * GRID) * _rows * (2 * _columns + 1))


def pdq_hash(pixels: NDArray[np.uint8]) -> tuple[str, int]:
    """64 hex digits, as PDQ's own tools write them, and the quality, 0..100, of RGB pixels [height, width, 3].

    The reference reduces larger pictures to 512 x 512 first. Raises ValueError below 5 pixels on a side.
    """
    height, width = pixels.shape[:2]
    if min(height, width) < MIN_SIDE:
        raise ValueError(f"{width} x {height} pixels; PDQ hashes nothing below {MIN_SIDE} x {MIN_SIDE}")
    luma = pixels.astype(np.float32) @ _LUMA
    grid = _blurred_samples(height) @ luma @ _blurred_samples(width).T
    waves = _COSINES @ grid @ _COSINES.T
    # The lower median of an even number, as the reference's (Torben's) gives it.
    median = np.partition(waves.ravel(), waves.size // 2 - 1)[waves.size // 2 - 1]
    # Bit 0 is the last digit's lowest.
    return np.packbits((waves > median).ravel()[::-1]).tobytes().hex(), _quality(grid)


@lru_cache(maxsize=256)
def _blurred_samples(size: int) -> NDArray[np.float64]:
    """[64, size]: what each sample along one side is made of. Blurring and sampling are linear, and rows and columns do
    not meet in them, so that one matrix a side does both."""
    window = (size + 2 * GRID - 1) // (2 * GRID)
    ahead = (window + 2) // 2
    behind = window - ahead
    places = np.arange(size)
    offsets = places[None, :] - places[:, None]
    box = ((offsets >= -behind) & (offsets < ahead)).astype(np.float64)
    box /= box.sum(axis=1, keepdims=True)  # windows are less wide at the edges
    samples = ((np.arange(GRID) + 0.5) * size / GRID).astype(np.intp)
    return box[samples] @ box  # blurred twice: two boxes one after the other are close to a triangle (Jarosz)


def _quality(grid: NDArray[np.float64]) -> int:
    """How much there is to see: flat pictures say little."""
    steps = [np.trunc(np.diff(grid, axis=axis) * 100 / 255) for axis in (0, 1)]
    total = int(sum(np.abs(step).sum() for step in steps))
    return min(100, total // _QUALITY_SCALE)
