"""The nearest of many PDQ hashes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_CHUNK = 16_384
"""Hashes compared at a time: half a megabyte, which stays in the processor's cache."""

PDQ_BITS = 256


def nearest(hashes: NDArray[np.uint64], wanted: NDArray[np.uint64]) -> int:
    """Bits, 0..256, in which `wanted` (shape [4]) differs from the most similar of `hashes` (shape [n, 4]); 256 where
    there is none."""
    best = PDQ_BITS
    for start in range(0, len(hashes), _CHUNK):
        differing = np.bitwise_count(hashes[start : start + _CHUNK] ^ wanted)
        # Four counts of at most 64 are added at once, as the bytes of a 32-bit word times 0x01010101: the top byte of
        # the product is their sum, modulo 256. 256 itself, all bits different, would come out as 0.
        packed = differing.view(np.uint32).ravel()
        sums = (packed * np.uint32(0x01010101)) >> np.uint32(24)
        sums[packed == 0x40404040] = PDQ_BITS
        best = min(best, int(sums.min()))
    return best
